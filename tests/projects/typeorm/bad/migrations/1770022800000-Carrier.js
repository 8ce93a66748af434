module.exports = class Carrier1770022800000 {
  async up(queryRunner) {
    await queryRunner.query("ALTER TABLE parcel ADD COLUMN carrier text");
  }

  async down(queryRunner) {
    await queryRunner.query("ALTER TABLE parcel DROP COLUMN carrier");
  }
};
