// Upper-case labels of deployments.status. The default goes first, because it names a label.
exports.up = async (knex) => {
  await knex.raw("SET LOCAL lock_timeout = '3s'");
  await knex.raw("ALTER TABLE deployments ALTER COLUMN status DROP DEFAULT");
  await knex.raw("ALTER TYPE deploymentstatus RENAME VALUE 'Pending' TO 'PENDING'");
  await knex.raw("ALTER TYPE deploymentstatus RENAME VALUE 'Ready' TO 'READY'");
  await knex.raw("ALTER TYPE deploymentstatus RENAME VALUE 'Failed' TO 'FAILED'");
  await knex.raw("ALTER TABLE deployments ALTER COLUMN status SET DEFAULT 'PENDING'");
};

exports.down = async () => {};
