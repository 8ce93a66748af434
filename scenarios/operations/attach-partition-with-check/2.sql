ALTER TABLE visits_february VALIDATE CONSTRAINT february;
