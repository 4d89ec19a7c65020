using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Settings;

namespace GrayMQ.NameServer.Tests;

public sealed class ConfigurationTests
{
    [Fact]
    public async Task Get_ShowsEverySettingAsPropertiesDo()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("waitSecondsForService=7");

        string[] lines = (await ReadAsync(server)).Split('\n');

        Assert.Contains("waitSecondsForService=7", lines);
        Assert.Contains("brokerChannelExpiredTime=120000", lines);
        Assert.Contains("enableAllTopicList=true", lines);
    }

    [Fact]
    public async Task Update_OfWhatMayChange_CountsAtOnceAndStaysInTheFile()
    {
        string folder = Directory.CreateTempSubdirectory("namesrv-test-").FullName;
        string file = Path.Combine(folder, "namesrv.conf");
        await File.WriteAllTextAsync(file, "# ours\nenableAllTopicList=true\n");
        await using TestNameServer server = await TestNameServer.StartInAsync(folder);

        RemotingCommand updated = await UpdateAsync(server, "enableAllTopicList=false\nlistenPort=0");

        Assert.Equal(ResponseCode.Success, updated.ResponseCode);
        Assert.Equal(
            ResponseCode.SystemError,
            (await server.AskAsync(RequestCode.GetAllTopicListFromNameServer, default(NoHeader))).ResponseCode);
        Assert.Contains("enableAllTopicList=false", (await ReadAsync(server)).Split('\n'));
        Assert.StartsWith("# ours\nenableAllTopicList=false\n", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kvConfigPath=/elsewhere", ResponseCode.NoPermission, "Can not update config in black list.")]
    [InlineData("configStorePath=/elsewhere", ResponseCode.NoPermission, "Can not update config in black list.")]
    [InlineData("listenPort=9877", ResponseCode.SystemError, "cannot be changed while the namesrv runs")]
    [InlineData("waitSecondsForService=soon", ResponseCode.SystemError, "expected")]
    [InlineData("enableAllTopicLists=false", ResponseCode.SystemError, "did you mean enableAllTopicList?")]
    [InlineData("enableAllTopicList=false\nbroken\\u12=1", ResponseCode.SystemError, "hexadecimal")]
    public async Task Update_OfWhatMayNot_IsRefusedAsAWhole(string properties, ResponseCode code, string remark)
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        RemotingCommand refused = await UpdateAsync(server, $"enableTopicList=false\n{properties}");

        Assert.Equal(code, refused.ResponseCode);
        Assert.Contains(remark, refused.Remark, StringComparison.Ordinal);
        Assert.Contains("enableTopicList=true", (await ReadAsync(server)).Split('\n'));
    }

    [Fact]
    public void Settings_OfRocketMqsFile_AreTakenOrNamedInAWarning()
    {
        SettingsLoad load = NameServerSettings.Catalogue().Load(new SettingsSources().File(SettingsFile.Parse(
            "namesrv.conf",
            "listenPort=19876\nrocketmqHome=/opt\nserverWorkerThreads=8\nscanNotActiveBrokerInterval=1000\ntls.server.mode=enforcing\n")));

        Assert.True(load.Succeeded);
        Assert.Equal(19876, load.Settings.Get(NameServerSettings.ListenPort));
        Assert.Equal(Remoting.Servers.TlsMode.Enforcing, load.Settings.Get(NameServerSettings.TlsMode));
        Assert.Equal(["rocketmqHome", "serverWorkerThreads"], load.Warnings.Select(warning => warning.Key!));
    }

    [Theory]
    [InlineData("listenPort=65536")]
    [InlineData("bindAddress=here")]
    [InlineData("scanNotActiveBrokerInterval=0")]
    [InlineData("kvConfigPath=")]
    [InlineData("lisenPort=9876")]
    public void Settings_ThatCannotBe_AreErrors(string setting) =>
        Assert.Single(NameServerSettings.Catalogue().Load(new SettingsSources().Set(setting)).Errors);

    private static Task<RemotingCommand> UpdateAsync(TestNameServer server, string properties) =>
        server.AskAsync(RequestCode.UpdateNameServerConfig, default(NoHeader), Encoding.UTF8.GetBytes(properties));

    private static async Task<string> ReadAsync(TestNameServer server) => Encoding.UTF8.GetString(
        (await server.AskSuccessfullyAsync(RequestCode.GetNameServerConfig, default(NoHeader))).Body);
}
