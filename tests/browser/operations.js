// What the test asks of the market. A renamed field is a change here and nowhere else.

export const products = `query Goods {
  products(first: 20) {
    edges { node { id title brand variants { id sku } } }
  }
}`;

/** The variants in an answer to `products`. */
export const variantIds = (data) =>
  data.products.edges.flatMap((edge) => edge.node.variants.map((variant) => variant.id));

export const stockChanged = `subscription Stock($variants: [ID!]!) {
  stockChanged(variantIds: $variants) {
    variant { id }
    available
    sequence
  }
}`;

export const stockVariables = (ids) => ({ variants: ids });

/** What tells one event of the subscription from the next. */
export const eventOf = (data) => `${data.stockChanged.variant.id} ${data.stockChanged.sequence}`;

export const newcomer = () => ({ email: `${crypto.randomUUID()}@example.org` });

export const register = `mutation Register($email: String!) {
  register(input: {
    email: $email, password: "a long enough one", displayName: "Ada", refreshTokenDelivery: COOKIE
  }) {
    tokens { accessToken refreshToken }
    userErrors { code message }
  }
}`;

export const refresh = `mutation Refresh {
  refreshSession { tokens { accessToken } userErrors { code message } }
}`;

export const logOut = `mutation LogOut {
  logOut { endedSessions userErrors { code message } }
}`;
