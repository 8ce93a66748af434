"use strict";

module.exports = {
  async up(queryInterface) {
    await queryInterface.addIndex("visits", ["page"], { concurrently: true, name: "visits_page" });
  },

  async down(queryInterface) {
    await queryInterface.removeIndex("visits", "visits_page");
  },
};
