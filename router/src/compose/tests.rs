use super::*;
use crate::api_schema;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable", "@tag", "@inaccessible", "@authenticated", "@requiresScopes"])"#;

fn subgraph(name: &str, types: &str) -> SubgraphSchema {
    SubgraphSchema {
        name: name.to_owned(),
        url: format!("http://127.0.0.1/{name}"),
        sdl: format!("{LINK}\n{types}"),
    }
}

fn market() -> Vec<SubgraphSchema> {
    let catalog = r#"
        type Query { product(id: ID!): Product, drafts: [Product!]! @requiresScopes(scopes: [["seller"], ["admin"]]) }
        type Mutation { archive(id: ID!): Product @authenticated }
        "Something that is sold."
        type Product @key(fields: "id") @tag(name: "public") {
            "How to find it again."
            id: ID!
            "What it is called."
            title: String!
            caption: String @deprecated(reason: "use title")
            margin: Int @inaccessible
        }
    "#;
    let inventory = r#"
        type Query { stock(product: ID!): Int! }
        type Subscription { stockChanged: Product }
        "A stub."
        type Product @key(fields: "id", resolvable: false) {
            "A stub's key."
            id: ID!
        }
    "#;
    vec![subgraph("inventory", inventory), subgraph("catalog", catalog)]
}

fn type_of<'a>(sdl: &'a str, name: &str) -> &'a str {
    let start = sdl.find(&format!("type {name}")).unwrap_or_else(|| panic!("no type {name} in\n{sdl}"));
    let end = sdl[start..].find('}').unwrap();
    &sdl[start..start + end]
}

#[test]
fn a_root_is_joined_to_each_subgraph_that_has_a_field_there() {
    let supergraph = compose(&market()).unwrap();
    let query = type_of(&supergraph, "Query");
    assert!(query.contains("@join__type(graph: CATALOG)"), "{query}");
    assert!(query.contains("@join__type(graph: INVENTORY)"), "{query}");
    let mutation = type_of(&supergraph, "Mutation");
    assert!(mutation.contains("@join__type(graph: CATALOG)"), "{mutation}");
    assert!(!mutation.contains("@join__type(graph: INVENTORY)"), "{mutation}");
    assert!(type_of(&supergraph, "Subscription").contains("@join__type(graph: INVENTORY)"));
}

#[test]
fn a_type_is_described_by_its_owner() {
    let supergraph = compose(&market()).unwrap();
    assert!(supergraph.contains("Something that is sold."), "{supergraph}");
    assert!(supergraph.contains("How to find it again."), "{supergraph}");
    assert!(!supergraph.contains("stub"), "{supergraph}");
}

#[test]
fn of_two_that_resolve_a_type_the_one_that_knows_more_describes_it() {
    let owner = r#"
        type Query { a: Offer }
        "A price for a thing."
        type Offer @key(fields: "id") { id: ID!, price: Int!, condition: String! }
    "#;
    let adds = r#"
        type Query { b: Int }
        "Mine as well."
        type Offer @key(fields: "id") { id: ID!, available: Int! }
    "#;
    let supergraph = compose(&[subgraph("adds", adds), subgraph("owner", owner)]).unwrap();
    assert!(supergraph.contains("A price for a thing."), "{supergraph}");
    assert!(!supergraph.contains("Mine as well."), "{supergraph}");
}

#[test]
fn directives_survive() {
    let supergraph = compose(&market()).unwrap();
    for survivor in [
        r#"@requiresScopes(scopes: [["seller"], ["admin"]])"#,
        "@authenticated",
        r#"@tag(name: "public")"#,
        "@inaccessible",
        r#"@deprecated(reason: "use title")"#,
    ] {
        assert!(supergraph.contains(survivor), "{survivor} is not in\n{supergraph}");
    }
}

#[test]
fn the_order_of_the_subgraphs_does_not_matter() {
    let mut turned = market();
    turned.reverse();
    assert_eq!(compose(&market()).unwrap(), compose(&turned).unwrap());
}

#[test]
fn clients_see_no_machinery_and_nothing_inaccessible() {
    let seen = api_schema(&compose(&market()).unwrap()).unwrap();
    for hidden in
        ["join__", "@link", "@tag", "margin", "@inaccessible", "_entities", "__schema", "scalar String"]
    {
        assert!(!seen.contains(hidden), "{hidden} is in\n{seen}");
    }
    for shown in ["Something that is sold.", r#"@deprecated(reason: "use title")"#, "stockChanged: Product"] {
        assert!(seen.contains(shown), "{shown} is not in\n{seen}");
    }
}

#[test]
fn a_schema_that_is_not_graphql_names_its_subgraph() {
    let error = compose(&[subgraph("catalog", "type {")]).unwrap_err();
    assert!(matches!(&error, CompositionError::Schema { subgraph, .. } if subgraph == "catalog"), "{error}");
}

#[test]
fn two_that_disagree_are_both_named() {
    let one = "type Query { a: Thing } type Thing @shareable { size: Int }";
    let other = "type Query { b: Thing } enum Thing { SMALL }";
    let error = compose(&[subgraph("catalog", one), subgraph("inventory", other)]).unwrap_err().to_string();
    for part in ["catalog", "inventory", "Thing"] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}

#[test]
fn a_field_that_two_have_without_sharing_is_refused() {
    let error = compose(&[
        subgraph("catalog", "type Query { price: Int }"),
        subgraph("inventory", "type Query { price: Int }"),
    ])
    .unwrap_err()
    .to_string();
    assert!(error.contains("price") && error.contains("catalog"), "{error}");
}

#[test]
fn no_subgraphs_are_no_supergraph() {
    assert!(matches!(compose(&[]), Err(CompositionError::Conflicts(_))));
}

#[test]
fn roots_with_names_of_their_own_are_said() {
    let supergraph = r#"
        schema { query: Start }
        type Start { size: Int }
    "#;
    let seen = api_schema(supergraph).unwrap();
    assert!(seen.contains("query: Start") && seen.contains("type Start"), "{seen}");
}

#[test]
fn a_description_survives_quotes_and_line_breaks() {
    let types = r#"
        type Query {
            "Sizes as \"EU 42\", a \\ and a trailing quote\""
            a: Int
            """
            Two lines,
            the second with "quotes", `code`, Ç ™.
            """
            b(
                "In cents."
                price: Int! = 7
            ): Int
        }
    "#;
    let seen = api_schema(&compose(&[subgraph("catalog", types)]).unwrap()).unwrap();
    let document = sdl::parse(&seen).unwrap();
    let Some(Definition::TypeDefinition(TypeDefinition::Object(query))) =
        document.definitions.into_iter().next()
    else {
        panic!("{seen}")
    };
    let said = |field: usize| query.fields[field].description.as_deref().unwrap_or_default();
    assert_eq!(said(0), r#"Sizes as "EU 42", a \ and a trailing quote""#);
    assert_eq!(said(1), "Two lines,\nthe second with \"quotes\", `code`, Ç ™.");
    assert_eq!(query.fields[1].arguments[0].description.as_deref(), Some("In cents."));
}

#[test]
fn a_character_that_cannot_be_read_is_an_error_and_not_a_panic() {
    let error =
        compose(&[subgraph("catalog", "\"\"\"A \u{1F45F}.\"\"\" type Query { a: Int }")]).unwrap_err();
    assert!(error.to_string().contains("catalog") && error.to_string().contains('\u{1F45F}'), "{error}");
}
