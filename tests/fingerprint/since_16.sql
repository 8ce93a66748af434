-- What 16 brought.
CREATE COLLATION app.with_rules (provider = icu, locale = 'und', rules = '&a < g');
CREATE TABLE app.in_line (short text STORAGE PLAIN);
