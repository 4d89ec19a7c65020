namespace GrayMQ.Settings.Tests;

internal enum FlushDiskType
{
    AsyncFlush,
    SyncFlush,
}

/// <summary>A small server's settings, one of each type.</summary>
internal static class Sample
{
    public static readonly SettingDefinition<int> ListenPort =
        Setting.Int32("listenPort", 10911, "TCP port of the broker.", 1, 65535);

    public static readonly SettingDefinition<int> HaListenPort =
        Setting.Int32("haListenPort", 0, "TCP port for replicas.", 1, 65535) with
        {
            Derive = settings => settings.Get(ListenPort) + 1,
        };

    public static readonly SettingDefinition<string> BrokerIP1 =
        Setting.Text("brokerIP1", "127.0.0.1", "Address that clients are told.");

    public static readonly SettingDefinition<string> DeleteWhen =
        Setting.Text("deleteWhen", "04", "Hours of the day at which expired files are deleted.") with
        {
            ChangeableWhileRunning = true,
            Check = hours => hours.Split(';').All(hour => hour.Length == 2 && int.TryParse(hour, out int h) && h is >= 0 and < 24)
                ? null
                : "hours from 00 to 23 separated by ';'",
        };

    public static readonly SettingDefinition<FlushDiskType> Flush =
        Setting.Choice("flushDiskType", FlushDiskType.SyncFlush, "When an append is acknowledged.");

    public static readonly SettingDefinition<string> TlsMode = Setting.Choice(
        "tlsMode", "permissive", "Whether clients may or must use TLS.",
        ("disabled", "disabled"), ("permissive", "permissive"), ("enforcing", "enforcing"));

    public static readonly SettingDefinition<bool> AutoCreate =
        Setting.Boolean("autoCreateTopicEnable", true, "Whether sending creates a topic.") with
        {
            ChangeableWhileRunning = true,
        };

    public static readonly SettingDefinition<long> MaxWait =
        Setting.Int64("longPollingMs", 30_000, "How long a pull is parked.", 0) with
        {
            Unit = "ms",
            ChangeableWhileRunning = true,
        };

    public static readonly SettingDefinition<double> DiskShare =
        Setting.Double("diskShare", 0.75, "Share of the disk at which files are deleted.", 0.1, 0.95);

    public static readonly SettingDefinition<IReadOnlyList<string>> NamesrvAddr =
        Setting.List("namesrvAddr", [], "Addresses of the name servers.");

    public static readonly SettingDefinition<string> Password =
        Setting.Text("tlsKeyPassword", "", "Password of the private key.") with
        {
            Secret = true,
            ChangeableWhileRunning = true,
        };

    public static SettingsCatalogue Catalogue() => new SettingsCatalogue("broker")
        .Define(ListenPort, HaListenPort, BrokerIP1, DeleteWhen, Flush, TlsMode, AutoCreate, MaxWait, DiskShare)
        .Define(NamesrvAddr, Password)
        .Alias("brokerIP", "brokerIP1")
        .Variable("NAMESRV_ADDR", "namesrvAddr")
        .Ignore([new IgnoredKey("warmMapedFileEnable"), new IgnoredKey("filterServerNums", "RocketMQ reads it up to 5.1.0 only")])
        .Ignore([new IgnoredKey("listenPort")]);

    public static SettingsLoad Load(params string[] assignments)
    {
        var sources = new SettingsSources();
        foreach (string assignment in assignments)
        {
            sources.Set(assignment);
        }
        return Catalogue().Load(sources);
    }

    public static SettingsLoad LoadFile(string text) =>
        Catalogue().Load(new SettingsSources().File(SettingsFile.Parse("broker.conf", text)));
}
