//! What facets show beside numbers: the rows of categories and attributes, read once for each state of the index. Whoever
//! changes them notes the products concerned, and so the index changes as well.

use std::collections::HashMap;
use std::sync::Arc;

use chassis::Failure;
use contract::CategoryId;
use entity::catalog::{attribute, category};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Search, read};

impl Search {
    /// The rows of categories, by their ids.
    pub(crate) async fn categories(
        &self,
        ids: &[CategoryId],
    ) -> Result<HashMap<CategoryId, category::Model>, Failure> {
        let Some(reading) = self.reading() else { return Ok(HashMap::new()) };
        // In this order: rows that change after it belong to a later state.
        let (known, generation) = (&reading.known.categories, reading.generation());
        let mut rows: HashMap<CategoryId, category::Model> =
            ids.iter().filter_map(|id| Some((*id, known.get(generation, id)?))).collect();
        let missing: Vec<CategoryId> = ids.iter().filter(|id| !rows.contains_key(id)).copied().collect();
        if !missing.is_empty() {
            let missing = category::Entity::find().filter(category::Column::Id.is_in(missing));
            for row in missing.all(self.0.env.db.read()).await? {
                known.keep(generation, row.id, row.clone());
                rows.insert(row.id, row);
            }
        }
        Ok(rows)
    }

    /// The attributes that are counted.
    pub(crate) async fn filterable(&self) -> Result<Arc<[attribute::Model]>, Failure> {
        let Some(reading) = self.reading() else { return Ok([].into()) };
        let (known, generation) = (&reading.known.filterable, reading.generation());
        if let Some(filterable) = known.get(generation, &()) {
            return Ok(filterable);
        }
        let filterable: Arc<[attribute::Model]> = read::filterable(&self.0.env.db).await?.into();
        known.keep(generation, (), filterable.clone());
        Ok(filterable)
    }
}
