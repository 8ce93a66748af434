// The column alone: no key, no index.
exports.up = async (knex) => {
  await knex.raw("SET LOCAL lock_timeout = '3s'");
  await knex.schema.alterTable("spans", (table) => table.specificType("task_id", "varchar"));
};

exports.down = async () => {};
