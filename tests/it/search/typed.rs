//! What people type: anything, and it is found.

use super::*;

souk_test! {
    async fn no_text_fails(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter"), Goods::titled("Emma")]).await;
        let query = "query($text: String!) { search(query: $text) { totalCount facets { inStock } } suggest(prefix: $text) { title } }";
        for text in [
            "\"", "-", "*", "AND", "OR NOT", "(", ")", "[a TO b]", "title:", "\\", "~2", "^3", "{", "a:b", "🦊", "\u{202e}abc",
            "\u{200b}", "\0", "%", "_", "';drop table product", "<script>", "שלום", "ﷺ", "Z̷̛a̶l̸g̴o̵", "à\u{301}\u{301}\u{301}",
        ] {
            ask(market, query, json!({ "text": text })).await;
        }
        for text in ["x".repeat(10_000), "ab ".repeat(3_333), "1".repeat(10_000), "美".repeat(10_000), "-a".repeat(5_000), "\u{301}".repeat(10_000)] {
            ask(market, query, json!({ "text": text })).await;
        }
        for text in ["\"harry potter\"", "+harry -potter", "harry AND potter", "harry*", "(potter", "HARRY\u{a0}POTTER"] {
            let answer = ask(market, query, json!({ "text": text })).await;
            assert_eq!(answer["search"]["totalCount"], 1, "{text}");
        }
        let long = format!("potter {}", "x".repeat(10_000));
        assert_eq!(ask(market, query, json!({ "text": long })).await["search"]["totalCount"], 1);
    }

    async fn nothing_typed_is_everything_that_fits(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Old"), Goods::titled("New")]).await;
        for arguments in ["first: 9", "query: \"\"", "query: \" \\t\"", "query: \"🦊\""] {
            assert_eq!(found(market, arguments).await, ["New", "Old"], "{arguments}");
        }
    }

    async fn numbers_of_variants_find_them(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        let mut book = Goods::titled("A book").listing(&ada);
        book.variants[0].gtin = Some("9780439023481".into());
        book.variants[0].sku = Some("BB-5350/x".into());
        load(market.env("catalog"), vec![book]).await.unwrap();
        sell(market, &ada, &[Goods::titled("978 other things")]).await;
        for text in ["9780439023481", "978-0-439-02348-1", "0439023483", "0-439-02348-3", "isbn 0439023483", "bb5350x", "BB-5350/X"] {
            assert_eq!(found(market, &format!("query: \"{text}\"")).await, ["A book"], "{text}");
        }
    }

    async fn a_typo_is_forgiven_and_a_better_word_told(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter"), Goods::titled("Hairy Pots")]).await;
        let query = "query($text: String!) { search(query: $text) { nodes { title } didYouMean } }";
        let answer = |text: &'static str| async move {
            let answer = ask(market, query, json!({ "text": text })).await["search"].take();
            (titles(&answer["nodes"]), answer["didYouMean"].clone())
        };
        assert_eq!(answer("harry potter").await, (vec!["Harry Potter".into()], Value::Null));
        assert_eq!(answer("hary poter").await, (vec!["Harry Potter".into()], json!("harry potter")));
        assert_eq!(answer("zzharry").await, (vec![], json!("harry")));
        assert_eq!(answer("zzzzz").await, (vec![], Value::Null));
    }

    async fn titles_are_suggested_as_one_types(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        sell(market, &ada, &[Goods::titled("Harry Potter"), Goods::titled("Emma"), Goods::titled("Émile"), Goods::titled("Emma")]).await;
        let query = "query($prefix: String!) { suggest(prefix: $prefix, first: 5) { title product { title } } }";
        for (prefix, expected) in [("e", vec!["Emma", "Émile"]), ("em", vec!["Emma", "Émile"]), ("émi", vec!["Émile"]), ("harry p", vec!["Harry Potter"]),
            ("pott", vec!["Harry Potter"]), ("harri", vec!["Harry Potter"]), ("", vec![]), ("zz", vec![])] {
            let answer = ask(market, query, json!({ "prefix": prefix })).await["suggest"].take();
            let mut titles = titles(&answer);
            titles.sort();
            assert_eq!(titles, expected, "{prefix}");
        }
        let answer = market.ask("catalog", None, "{ suggest(prefix: \"a\", first: 21) { title } }", json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
}
