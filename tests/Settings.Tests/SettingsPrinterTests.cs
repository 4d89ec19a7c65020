using System.Text;
using System.Text.Json;

namespace GrayMQ.Settings.Tests;

public sealed class SettingsPrinterTests
{
    private static EffectiveSettings Settings() => Sample.Catalogue()
        .Load(new SettingsSources()
            .File(SettingsFile.Parse("broker.conf", "flushDiskType=ASYNC_FLUSH\nnamesrvAddr=a:1;b:2\ntlsKeyPassword=secret"))
            .Option("--broker-port", "listenPort", "7"))
        .GetOrThrow();

    [Fact]
    public void WriteTable_EachSetting_IsOneLineWithItsPlace()
    {
        var writer = new StringWriter();

        Settings().WriteTable(writer);

        Assert.Equal(
            """
            autoCreateTopicEnable = true  # default
            brokerIP1 = 127.0.0.1         # default
            deleteWhen = 04               # default
            diskShare = 0.75              # default
            flushDiskType = ASYNC_FLUSH   # broker.conf:1, default SYNC_FLUSH
            haListenPort = 8              # default
            listenPort = 7                # --broker-port, default 10911
            longPollingMs = 30000         # default
            namesrvAddr = a:1;b:2         # broker.conf:2, default empty
            tlsKeyPassword = ******       # broker.conf:3, default empty
            tlsMode = permissive          # default

            """,
            writer.ToString());
    }

    [Fact]
    public void WriteTable_Output_IsAFileThatGivesTheSameSettings()
    {
        var writer = new StringWriter();
        EffectiveSettings before = Settings();
        before.WriteTable(writer);
        string file = string.Join('\n', writer.ToString().Split('\n').Select(line => line.Split("  # ")[0]));

        EffectiveSettings after = Sample.LoadFile(file).GetOrThrow();

        Assert.Equal(before.All.Select(setting => setting.Text), after.All.Select(setting => setting.Text));
    }

    [Fact]
    public void WriteJson_EachSetting_HasTypedValueAndPlace()
    {
        using var stream = new MemoryStream();

        Settings().WriteJson(stream);

        using JsonDocument document = JsonDocument.Parse(stream.ToArray());
        Assert.Equal("broker", document.RootElement.GetProperty("server").GetString());
        Dictionary<string, JsonElement> settings = document.RootElement.GetProperty("settings").EnumerateArray()
            .ToDictionary(setting => setting.GetProperty("key").GetString()!);
        Assert.Equal(11, settings.Count);
        Assert.Equal(7, settings["listenPort"].GetProperty("value").GetInt32());
        Assert.Equal(10911, settings["listenPort"].GetProperty("default").GetInt32());
        Assert.Equal("commandline", settings["listenPort"].GetProperty("source").GetString());
        Assert.Equal("--broker-port", settings["listenPort"].GetProperty("place").GetString());
        Assert.Equal(2, settings["namesrvAddr"].GetProperty("value").GetArrayLength());
        Assert.Equal("ASYNC_FLUSH", settings["flushDiskType"].GetProperty("value").GetString());
        Assert.Equal("ms", settings["longPollingMs"].GetProperty("unit").GetString());
        Assert.DoesNotContain("secret", Encoding.UTF8.GetString(stream.ToArray()), StringComparison.Ordinal);
    }
}
