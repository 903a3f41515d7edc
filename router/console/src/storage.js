// Where GraphiQL keeps tabs, history and settings between visits: the browser's storage, without secrets.

const OURS = 'graphiql:';

// The history plugin would keep every request's headers, and so the access token, whatever the settings say.
const WITH_HEADERS = new Set([`${OURS}queries`, `${OURS}favorites`]);

const withoutHeaders = (json) =>
  JSON.stringify(JSON.parse(json), (key, value) => (key === 'headers' ? undefined : value));

const ourKeys = () => Object.keys(localStorage).filter((key) => key.startsWith(OURS));

export const storage = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) =>
    localStorage.setItem(key, WITH_HEADERS.has(key) ? withoutHeaders(value) : value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => ourKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ourKeys().length;
  },
};
