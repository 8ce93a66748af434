"use strict";

module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable("visits", {
      id: { type: Sequelize.BIGINT, primaryKey: true, autoIncrement: true },
      page: { type: Sequelize.STRING, allowNull: false },
      visitedAt: { type: Sequelize.DATE, allowNull: false },
    });
  },

  async down(queryInterface) {
    await queryInterface.dropTable("visits");
  },
};
