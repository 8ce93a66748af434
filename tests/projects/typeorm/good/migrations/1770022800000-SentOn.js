module.exports = class SentOn1770022800000 {
  transaction = false;

  async up(queryRunner) {
    await queryRunner.query("CREATE INDEX CONCURRENTLY parcel_sent_on ON parcel (sent_on)");
  }

  async down(queryRunner) {
    await queryRunner.query("DROP INDEX parcel_sent_on");
  }
};
