"""The version of this package; the project's file takes it from here, for asking what is installed takes a while."""

VERSION = "0.1.0"
