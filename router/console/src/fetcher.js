// How the page reaches the endpoint: HTTP for queries and mutations, graphql-ws for subscriptions.
import { createGraphiQLFetcher } from '@graphiql/toolkit';

const endpoint = new URL('/graphql', window.location.href);
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';

// Each subscription opens its own socket, and the headers editor's content travels in its `connection_init`:
// a browser cannot set headers on a WebSocket.
export const fetcher = createGraphiQLFetcher({
  url: endpoint.href,
  subscriptionUrl: socket.href,
  enableIncrementalDelivery: false,
});
