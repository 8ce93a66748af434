exports.up = (knex) =>
  knex.schema.createTable("events", (table) => {
    table.bigIncrements("id");
    table.string("name", 60).notNullable();
    table.timestamp("at").notNullable().index();
  });

exports.down = async () => {};
