ALTER TABLE events_other VALIDATE CONSTRAINT not_february;
