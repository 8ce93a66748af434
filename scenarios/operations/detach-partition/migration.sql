ALTER TABLE visits DETACH PARTITION visits_december;
