"""From a result bundle to a report. Reads files only: nothing here measures, and no statistic is made here."""
