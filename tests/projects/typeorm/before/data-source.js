// typeorm migration:run -d data-source.js
const { DataSource } = require("typeorm");

module.exports = new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL,
  migrations: [process.env.ONLY_BASE ? "migrations/1767603600000-*.js" : "migrations/*.js"],
  migrationsTransactionMode: "each",
});
