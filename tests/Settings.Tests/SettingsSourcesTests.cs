namespace GrayMQ.Settings.Tests;

public sealed class SettingsSourcesTests
{
    [Fact]
    public void Load_EverySource_HigherOneCountsWhateverTheOrderOfCalls()
    {
        SettingsSources sources = new SettingsSources()
            .Set("brokerIP1=by-set")
            .File(SettingsFile.Parse("broker.conf", "brokerIP1=by-file\nlistenPort=2"))
            .Environment([new("GRAYMQ_BROKER_IP1", "by-env"), new("GRAYMQ_LISTEN_PORT", "3"), new("GRAYMQ_TLS_MODE", "disabled")]);

        EffectiveSettings settings = Sample.Catalogue().Load(sources).GetOrThrow();

        Assert.Equal("by-set", settings.Get(Sample.BrokerIP1));
        Assert.Equal(SettingSource.CommandLine, settings.Find("brokerIP1").Place.Source);
        Assert.Equal(2, settings.Get(Sample.ListenPort));
        Assert.Equal("broker.conf:2", settings.Find("listenPort").Place.ToString());
        Assert.Equal("disabled", settings.Get(Sample.TlsMode));
        Assert.Equal("environment GRAYMQ_TLS_MODE", settings.Find("tlsMode").Place.ToString());
    }

    [Fact]
    public void Profile_SomethingSaidExpressly_GivesWay()
    {
        SettingsSources sources = new SettingsSources()
            .Environment([new("GRAYMQ_BROKER_IP1", "by-env")])
            .Profile("standalone", "brokerIP1", "by-profile")
            .Profile("standalone", "listenPort", "2");

        EffectiveSettings settings = Sample.Catalogue().Load(sources).GetOrThrow();

        Assert.Equal("by-env", settings.Get(Sample.BrokerIP1));
        Assert.Equal(2, settings.Get(Sample.ListenPort));
        Assert.Equal(SettingPlace.Profile("standalone"), settings.Find("listenPort").Place);
        Assert.Equal("standalone", settings.Find("listenPort").Place.ToString());
    }

    [Fact]
    public void Set_ValueWithEqualsSign_KeepsIt()
    {
        EffectiveSettings settings = Sample.Load("brokerIP1=a=b").GetOrThrow();

        Assert.Equal("a=b", settings.Get(Sample.BrokerIP1));
    }

    [Theory]
    [InlineData("GRAYMQ_LISTEN_PORT")]
    [InlineData("GRAYMQ_LISTENPORT")]
    [InlineData("GRAYMQ_listenPort")]
    [InlineData("graymq_listen_port")]
    [InlineData("GRAYMQ_BROKER_LISTEN_PORT")]
    public void Environment_SpellingsOfAKey_AllGiveIt(string variable)
    {
        SettingsLoad load = Sample.Catalogue().Load(new SettingsSources().Environment([new(variable, "7")]));

        Assert.Equal(7, load.GetOrThrow().Get(Sample.ListenPort));
    }

    [Fact]
    public void Environment_NameForOneServer_OverridesTheNameForAll()
    {
        SettingsLoad load = Sample.Catalogue().Load(new SettingsSources().Environment(
            [new("GRAYMQ_LISTEN_PORT", "8"), new("GRAYMQ_BROKER_LISTEN_PORT", "7"), new("GRAYMQ_NAMESRV_LISTEN_PORT", "9")]));

        Assert.Equal(7, load.GetOrThrow().Get(Sample.ListenPort));
    }

    [Fact]
    public void Environment_RocketMqName_CountsLessThanOurs()
    {
        KeyValuePair<string, string> theirs = new("NAMESRV_ADDR", "a:1;b:2");

        EffectiveSettings one = Sample.Catalogue().Load(new SettingsSources().Environment([theirs])).GetOrThrow();
        EffectiveSettings both = Sample.Catalogue()
            .Load(new SettingsSources().Environment([theirs, new("GRAYMQ_NAMESRV_ADDR", "c:3")]))
            .GetOrThrow();

        Assert.Equal(["a:1", "b:2"], one.Get(Sample.NamesrvAddr));
        Assert.Equal(["c:3"], both.Get(Sample.NamesrvAddr));
    }

    [Fact]
    public void Environment_MisspeltName_WarnsAndForeignNameDoesNot()
    {
        SettingsLoad load = Sample.Catalogue().Load(new SettingsSources().Environment(
        [
            new("GRAYMQ_LISTN_PORT", "7"),
            new("GRAYMQ_PORT_10911_TCP", "tcp://10.0.0.1:10911"),
            new("GRAYMQ_SERVICE_HOST", "10.0.0.1"),
            new("PATH", "/bin"),
        ]));

        Assert.Equal(10911, load.GetOrThrow().Get(Sample.ListenPort));
        Assert.Equal(
            "environment GRAYMQ_LISTN_PORT: stands for no setting and is ignored; did you mean GRAYMQ_LISTEN_PORT?",
            Assert.Single(load.Warnings).ToString());
    }

    [Theory]
    [InlineData("=1")]
    [InlineData("listenPort")]
    public void Set_NoAssignment_IsAnError(string text)
    {
        Assert.Equal($"--set: {text}: expected key=value", Assert.Single(Sample.Load(text).Errors).ToString());
    }

    [Fact]
    public void File_MissingFile_IsAnErrorOfTheLoad()
    {
        using var folder = new TempFolder();
        string path = folder.PathOf("broker.conf");

        SettingsLoad load = Sample.Catalogue().Load(new SettingsSources().File(path));

        Assert.Null(load.Settings);
        Assert.Equal($"{path}: cannot read: there is no such file", Assert.Single(load.Errors).ToString());
    }
}
