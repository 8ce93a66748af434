COMMENT ON TABLE "orders_order" IS 'Baskets and placed orders';
