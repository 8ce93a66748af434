//! What a running server tells about itself.

use std::collections::BTreeMap;

use crate::connect::{self, Address, Session};
use crate::history::ServerFacts;

/// Settings that are not the server's own defaults. What only says where its files and sockets
/// are, or what initdb took from the machine's locale, would tell servers apart that are alike.
const SETTINGS: &str = "\
SELECT name, current_setting(name)
FROM pg_settings
WHERE setting IS DISTINCT FROM boot_val
  AND source NOT IN ('default', 'client', 'session', 'override')
  AND context <> 'internal'
  AND name NOT IN ('config_file', 'data_directory', 'hba_file', 'ident_file', 'external_pid_file',
    'listen_addresses', 'port', 'unix_socket_directories', 'log_line_prefix', 'log_timezone',
    'default_text_search_config', 'lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time',
    'DateStyle', 'client_encoding', 'application_name', 'cluster_name', 'ssl', 'ssl_cert_file',
    'ssl_key_file', 'stats_temp_directory', 'krb_server_keyfile')";

pub const APPLICATION_NAME: &str = "pgauntlet provision";

/// A session for looking after the server itself.
pub async fn session(address: &Address) -> Result<Session, connect::Error> {
    Session::open(address, APPLICATION_NAME, &BTreeMap::new()).await
}

pub async fn read(session: &Session, source: &str) -> Result<ServerFacts, connect::Error> {
    let sql = "SELECT current_setting('server_version'), \
               current_setting('server_version_num')::int";
    let row = session.client().query_one(sql, &[]).await;
    let row = row.map_err(|error| connect::Error::query(sql, &error))?;
    let version_num: i32 = row.get(1);
    let rows = session.client().query(SETTINGS, &[]).await;
    let rows = rows.map_err(|error| connect::Error::query(SETTINGS, &error))?;
    Ok(ServerFacts {
        source: source.to_owned(),
        version: row.get(0),
        version_num: u32::try_from(version_num).unwrap_or_default(),
        settings: rows.iter().map(|row| (row.get(0), row.get(1))).collect(),
    })
}
