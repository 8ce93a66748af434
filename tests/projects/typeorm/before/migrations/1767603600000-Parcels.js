module.exports = class Parcels1767603600000 {
  async up(queryRunner) {
    await queryRunner.query(`
      CREATE TABLE parcel (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        weight_g integer NOT NULL CHECK (weight_g > 0),
        sent_on date NOT NULL
      )`);
  }

  async down(queryRunner) {
    await queryRunner.query("DROP TABLE parcel");
  }
};
