//! Ids of bids, asks and trades: the engine's numbers, with the partition that gave them.

use contract::{BookOrderId, TradeId};
use matching::{OrderId, TradeId as TradeNumber};
use uuid::Uuid;

/// Version 8 (a layout of our own) and the variant of RFC 9562, where they stand in a UUID.
const LAYOUT: u128 = 8 << 76 | 2 << 62;
/// Where the partition stands.
const PARTITION_SHIFT: u32 = 80;
/// Bits of a number: those below the variant.
const NUMBER: u128 = (1 << 62) - 1;

/// The id of an order.
pub fn order_id(partition: i32, number: i64) -> BookOrderId {
    BookOrderId(id(partition, number))
}

/// The id of one matched piece.
pub fn trade_id(partition: i32, number: i64) -> TradeId {
    TradeId(id(partition, number))
}

/// The partition and the number of an order. `None`: no order has this id.
pub fn order_of(id: BookOrderId) -> Option<(u32, OrderId)> {
    read(id.0).map(|(partition, number)| (partition, OrderId(number)))
}

/// The partition and the number of a matched piece. `None`: no trade has this id.
pub fn trade_of(id: TradeId) -> Option<(u32, TradeNumber)> {
    read(id.0).map(|(partition, number)| (partition, TradeNumber(number)))
}

fn id(partition: i32, number: i64) -> Uuid {
    Uuid::from_u128((partition as u128) << PARTITION_SHIFT | LAYOUT | (number as u128 & NUMBER))
}

fn read(id: Uuid) -> Option<(u32, u64)> {
    let bits = id.as_u128();
    let (partition, number) = ((bits >> PARTITION_SHIFT) as u32, (bits & NUMBER) as u64);
    let is_one = partition < crate::engine::PARTITIONS && self::id(partition as i32, number as i64) == id;
    is_one.then_some((partition, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_a_partition_and_a_number() {
        for (partition, number) in [(0, 1), (255, 1), (7, i64::from(u32::MAX)), (3, (1 << 62) - 1)] {
            let id = order_id(partition, number);
            assert_eq!(order_of(id), Some((partition as u32, OrderId(number as u64))));
            assert_eq!(id.0.get_version_num(), 8);
        }
    }

    #[test]
    fn another_uuid_is_no_number() {
        for id in [Uuid::nil(), Uuid::max(), Uuid::now_v7(), id(256, 1)] {
            assert_eq!(order_of(BookOrderId(id)), None, "{id}");
        }
    }
}
