"use strict";

module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.addColumn("visits", "referrer", { type: Sequelize.STRING });
  },

  async down(queryInterface) {
    await queryInterface.removeColumn("visits", "referrer");
  },
};
