exports.config = { transaction: false };

exports.up = (knex) => knex.raw("CREATE INDEX CONCURRENTLY events_name ON events (name)");

exports.down = async () => {};
