//! A session on each of the two databases, in a snapshot of its own.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::connect::{self, Address, Session};

use super::super::contents::{begin, fail};
use super::super::{APPLICATION_NAME, Error};
use super::merge::Hashed;

pub struct Side {
    session: Session,
}

impl Side {
    /// No other session should be writing there.
    pub async fn open(address: &Address) -> Result<Side, Error> {
        let opened = Session::open(address, APPLICATION_NAME, &BTreeMap::new()).await;
        let session = opened.map_err(|error| Error::Open(Box::new(error)))?;
        Ok(Side { session })
    }

    /// From now on in one snapshot, with an empty search_path.
    pub async fn begin(&self) -> Result<(), Error> {
        self.session.batch(&begin()).await.map_err(|error| fail("begin", error))
    }

    pub async fn rows(
        &self,
        what: &str,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let rows = self.session.client().query(sql, parameters).await;
        rows.map_err(|error| fail(what, connect::Error::query(sql, &error)))
    }

    pub async fn row(
        &self,
        what: &str,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, Error> {
        let row = self.session.client().query_one(sql, parameters).await;
        row.map_err(|error| fail(what, connect::Error::query(sql, &error)))
    }

    /// The answers of a query that returns two hashes a row.
    pub async fn hashed(
        &self,
        what: &str,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Hashed>, Error> {
        let failed = |error| fail(what, connect::Error::query(sql, &error));
        let parameters = parameters.iter().copied();
        let rows = self.session.client().query_raw(sql, parameters).await.map_err(failed)?;
        let (mut rows, mut found) = (pin!(rows), Vec::new());
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            found.push((row.get(0), row.get(1)));
        }
        Ok(found)
    }
}
