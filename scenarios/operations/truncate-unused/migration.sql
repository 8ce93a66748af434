TRUNCATE visits_february;
