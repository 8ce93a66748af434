COMMENT ON TABLE public.versions IS 'paper_trail';
