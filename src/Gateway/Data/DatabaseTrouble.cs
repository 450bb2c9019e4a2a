using Npgsql;

namespace Gateway.Data;

/// <summary>Tells a database that is away, busy or starting from a mistake of ours.</summary>
internal static class DatabaseTrouble
{
    /// <summary>
    /// What a person can be told of it: the server's code, or the type of what broke. Null when trying again would not help,
    /// or the exception is none of the database's.
    /// </summary>
    public static string? Find(Exception exception)
    {
        // The mapper wraps what it takes for passing trouble, some of it twice.
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is NpgsqlException { IsTransient: true } trouble)
            {
                return trouble.SqlState ?? (trouble.InnerException ?? trouble).GetType().Name;
            }
        }

        return null;
    }
}
