// An index for filters on a task's metadata, built outside a transaction.
exports.config = { transaction: false };

exports.up = async (knex) => {
  await knex.raw(`
    CREATE INDEX CONCURRENTLY ix_tasks_metadata_gin
      ON tasks USING gin (task_metadata jsonb_path_ops)
  `);
};

exports.down = async () => {};
