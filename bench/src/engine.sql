-- Order books that PostgreSQL keeps by itself, as fast as a careful hand gets it: one call is one transaction; a market's row
-- is the lock of its book; the best prices come from partial indexes.
create schema baseline;

create table baseline.market (id bigint primary key, seq bigint not null default 0);

create table baseline.book_order (
    id bigint generated always as identity primary key,
    market bigint not null,
    account bigint not null,
    is_bid boolean not null,
    price bigint not null,
    quantity bigint not null,
    remaining bigint not null,
    placed_at timestamptz not null default clock_timestamp()
);
create index on baseline.book_order (market, price desc, id) where is_bid and remaining > 0;
create index on baseline.book_order (market, price, id) where not is_bid and remaining > 0;

create table baseline.trade (
    id bigint generated always as identity primary key,
    market bigint not null,
    seq bigint not null,
    bid bigint not null,
    ask bigint not null,
    price bigint not null,
    quantity bigint not null,
    at timestamptz not null default clock_timestamp()
);

-- Places a limit order: matches what crosses it, the best price first, the older first, and leaves the rest in the book. An
-- order of the same account ends it, as the engine does by default. Gives the order's number.
create function baseline.place(by_account bigint, in_market bigint, bids boolean, at_price bigint, pieces bigint)
returns bigint language plpgsql as $$
declare
    left_over bigint := pieces;
    taken bigint;
    number bigint;
    steps bigint := 0;
    maker record;
begin
    perform 1 from baseline.market where id = in_market for update;
    insert into baseline.book_order (market, account, is_bid, price, quantity, remaining)
        values (in_market, by_account, bids, at_price, pieces, 0) returning id into number;
    while left_over > 0 loop
        if bids then
            select id, account, price, remaining into maker from baseline.book_order
                where market = in_market and not is_bid and remaining > 0 and price <= at_price
                order by price, id limit 1;
        else
            select id, account, price, remaining into maker from baseline.book_order
                where market = in_market and is_bid and remaining > 0 and price >= at_price
                order by price desc, id limit 1;
        end if;
        exit when not found;
        if maker.account = by_account then
            left_over := 0;
            exit;
        end if;
        taken := least(left_over, maker.remaining);
        steps := steps + 1;
        update baseline.book_order set remaining = remaining - taken where id = maker.id;
        insert into baseline.trade (market, seq, bid, ask, price, quantity)
            select in_market, market.seq + steps, case when bids then number else maker.id end,
                case when bids then maker.id else number end, maker.price, taken
            from baseline.market where market.id = in_market;
        left_over := left_over - taken;
    end loop;
    if left_over > 0 then
        update baseline.book_order set remaining = left_over where id = number;
    end if;
    update baseline.market set seq = seq + steps + 1 where id = in_market;
    return number;
end $$;
