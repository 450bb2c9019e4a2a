namespace Gateway.Data;

/// <summary>
/// The migrations that this version has, oldest first. Written down, since to find them by reflection means loading every type
/// there is, and to have EF Core find them means building its model, before a start knows whether it has to do with any; a test
/// holds the list to what is there.
/// </summary>
internal static class MigrationIds
{
    public static IReadOnlyList<string> All { get; } =
    [
        "20261120142719_Initial",
        "20261121110834_Operations",
        "20261121133652_BotsInFull",
        "20261121174635_ChatKit",
        "20261121210000_LeaseFunction",
        "20261122000817_UsageByIdAlone",
    ];
}
