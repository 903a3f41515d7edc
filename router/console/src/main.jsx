// Mounts GraphiQL on the page.
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './main.css';
import './workers.js';
import { fetcher } from './fetcher.js';
import icon from './icon.svg';
import { storage } from './storage.js';
import welcome from './welcome.graphql?raw';

createRoot(document.getElementById('console')).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    defaultQuery={welcome}
    isHeadersEditorEnabled
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <img src={icon} alt="" />
      Souk
    </GraphiQL.Logo>
  </GraphiQL>,
);
