UPDATE orders SET legacy = number;
