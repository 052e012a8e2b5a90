"""Air quality: the city's yearly figures from the hours of its assessment stations."""
