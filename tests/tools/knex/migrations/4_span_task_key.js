// The foreign key, which is not validated, in a transaction as short as it is.
exports.up = async (knex) => {
  await knex.raw("SET LOCAL lock_timeout = '3s'");
  await knex.raw(`
    ALTER TABLE spans
      ADD CONSTRAINT fk_spans_task_id_tasks
      FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE SET NULL
      NOT VALID
  `);
};

exports.down = async () => {};
