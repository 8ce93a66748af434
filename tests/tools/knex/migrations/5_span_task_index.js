// The index on spans.task_id, built outside a transaction.
exports.config = { transaction: false };

exports.up = async (knex) => {
  await knex.raw("CREATE INDEX CONCURRENTLY ix_spans_task_id ON spans (task_id)");
};

exports.down = async () => {};
