namespace GrayMQ.NameServer.Routes;

/// <summary>The lowest broker id under a name has changed, which decides who acts as its master.</summary>
/// <param name="Notify">Addresses of the nodes to tell.</param>
/// <param name="MinBrokerId">The lowest id now.</param>
/// <param name="MinBrokerAddress">Who has it.</param>
/// <param name="OfflineAddress">The node that went, if that is why.</param>
/// <param name="HaAddress">Where the new one is copied from, if a new one came.</param>
internal sealed record MinBrokerIdChange(
    IReadOnlyList<string> Notify, long MinBrokerId, string MinBrokerAddress, string? OfflineAddress, string? HaAddress)
{
    /// <summary>A node has come with the lowest id: all others are told.</summary>
    public static MinBrokerIdChange ByArrival(BrokerGroup group, string haAddress) => new(
        [.. group.Addresses.Where(pair => group.Addresses.Count == 1 || pair.Key != group.MinBrokerId).Select(pair => pair.Value)],
        group.MinBrokerId,
        group.Addresses[group.MinBrokerId],
        OfflineAddress: null,
        haAddress);

    /// <summary>The node with the lowest id has gone: all that are left are told.</summary>
    public static MinBrokerIdChange ByDeparture(BrokerGroup group, string offlineAddress) => new(
        [.. group.Addresses.Values], group.MinBrokerId, group.Addresses[group.MinBrokerId], offlineAddress, HaAddress: null);
}
