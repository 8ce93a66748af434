exports.up = (knex) =>
  knex.schema.alterTable("events", (table) => {
    table.string("source", 60);
  });

exports.down = async () => {};
