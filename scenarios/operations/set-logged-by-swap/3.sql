DROP TRIGGER carts_follow ON carts;
ALTER TABLE carts RENAME TO carts_before;
ALTER TABLE carts_logged RENAME TO carts;
