exports.up = (knex) =>
  knex.schema.alterTable("events", (table) => table.index(["name", "at"], "events_name"));

exports.down = async () => {};
