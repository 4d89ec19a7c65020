namespace GrayMQ.Settings.RocketMqKeys;

/// <summary>
/// Every key that a genuine broker.conf or namesrv.conf may hold, so that a file that starts RocketMQ starts GrayMQ too.
/// Hand a table to <see cref="SettingsCatalogue.Ignore(IEnumerable{IgnoredKey})"/>: keys that the catalogue defines
/// keep their meaning, the rest is named in a warning. Source: the setters and fields of RocketMQ 5.3.3's configuration
/// classes.
/// </summary>
public static class RocketMqKeyTable
{
    /// <summary>What mqbroker -c reads: broker, store, tiered store, authentication and both network parts.</summary>
    public static IReadOnlyList<IgnoredKey> Broker { get; } = Table(
        EarlierKeys.Broker,
        BrokerConfigKeys.Names,
        MessageStoreConfigKeys.Names,
        TieredMessageStoreConfigKeys.Names,
        AuthConfigKeys.Names,
        NettyServerConfigKeys.Names,
        NettyClientConfigKeys.Names);

    /// <summary>What mqnamesrv -c reads: name server, the controller that may run inside it, and both network parts.</summary>
    public static IReadOnlyList<IgnoredKey> NameServer { get; } = Table(
        EarlierKeys.NameServer,
        NamesrvConfigKeys.Names,
        ControllerConfigKeys.Names,
        JraftConfigKeys.Names,
        NettyServerConfigKeys.Names,
        NettyClientConfigKeys.Names);

    private static IgnoredKey[] Table(IEnumerable<IgnoredKey> earlier, params string[][] names) =>
        [.. names.SelectMany(part => part).Distinct().Select(name => new IgnoredKey(name)).Concat(earlier)];
}
