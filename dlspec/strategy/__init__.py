"""Machine learning strategy over arrays: intervals, ceilings, importance.  numpy and scipy only."""
