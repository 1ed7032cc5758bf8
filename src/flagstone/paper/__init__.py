"""Write a paper in which every number is traced to its result, and every citation to its record."""
