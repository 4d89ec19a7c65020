namespace GrayMQ.Settings.Tests;

public sealed class SettingsCatalogueTests
{
    [Fact]
    public void Load_NothingGiven_HasDefaults()
    {
        EffectiveSettings settings = Sample.Load().GetOrThrow();

        Assert.Equal(10911, settings.Get(Sample.ListenPort));
        Assert.Equal(10912, settings.Get(Sample.HaListenPort));
        Assert.Equal(FlushDiskType.SyncFlush, settings.Get(Sample.Flush));
        Assert.Empty(settings.Get(Sample.NamesrvAddr));
        Assert.Equal(SettingPlace.Default, settings.Find("listenPort").Place);
    }

    [Fact]
    public void Load_ValuesOfEachType_AreTyped()
    {
        EffectiveSettings settings = Sample.LoadFile(
            """
            listenPort = 20911
            flushDiskType=ASYNC_FLUSH
            tlsMode=enforcing
            autoCreateTopicEnable=FALSE
            longPollingMs=9223372036854775807
            diskShare=0.5
            namesrvAddr= a:9876 ; b:9876;
            deleteWhen=04;16
            """).GetOrThrow();

        Assert.Equal(20911, settings.Get(Sample.ListenPort));
        Assert.Equal(20912, settings.Get(Sample.HaListenPort));
        Assert.Equal(FlushDiskType.AsyncFlush, settings.Get(Sample.Flush));
        Assert.Equal("enforcing", settings.Get(Sample.TlsMode));
        Assert.False(settings.Get(Sample.AutoCreate));
        Assert.Equal(long.MaxValue, settings.Get<long>("longPollingMs"));
        Assert.Equal(0.5, settings.Get(Sample.DiskShare));
        Assert.Equal(["a:9876", "b:9876"], settings.Get(Sample.NamesrvAddr));
        Assert.Equal("04;16", settings.Get(Sample.DeleteWhen));
        Assert.Equal(new SettingPlace(SettingSource.File, "broker.conf", 2), settings.Find("flushDiskType").Place);
    }

    [Theory]
    [InlineData("listenPort=0", "expected an integer from 1 to 65535")]
    [InlineData("listenPort=65536", "expected an integer from 1 to 65535")]
    [InlineData("listenPort=99999999999999999999", "expected an integer from 1 to 65535")]
    [InlineData("listenPort=", "expected an integer from 1 to 65535")]
    [InlineData("listenPort=10k", "expected an integer from 1 to 65535")]
    [InlineData("listenPort=1 0", "expected an integer from 1 to 65535")]
    [InlineData("autoCreateTopicEnable=yes", "expected true or false")]
    [InlineData("flushDiskType=SYNC", "expected ASYNC_FLUSH or SYNC_FLUSH")]
    [InlineData("flushDiskType=1", "expected ASYNC_FLUSH or SYNC_FLUSH")]
    [InlineData("tlsMode=on", "expected disabled, permissive or enforcing")]
    [InlineData("longPollingMs=-1", "expected an integer from 0 to 9223372036854775807")]
    [InlineData("diskShare=NaN", "expected a number from 0.1 to 0.95")]
    [InlineData("diskShare=75%", "expected a number from 0.1 to 0.95")]
    [InlineData("deleteWhen=24", "expected hours from 00 to 23 separated by ';'")]
    public void Load_WrongValue_IsRefusedWithKeyValueExpectationAndPlace(string line, string expectation)
    {
        SettingsLoad load = Sample.LoadFile("# head\n" + line);

        Assert.Null(load.Settings);
        string given = line.EndsWith('=') ? line : line.TrimEnd();
        Assert.Equal($"broker.conf:2: {given}: {expectation}", Assert.Single(load.Errors).ToString());
    }

    [Fact]
    public void Load_ManyErrors_AreReportedTogether()
    {
        SettingsLoad load = Sample.Catalogue().Load(new SettingsSources()
            .Environment([new("GRAYMQ_LISTEN_PORT", "x")])
            .File(SettingsFile.Parse("broker.conf", "listenPrt=1\nflushDiskType=never\nbad\\u=1"))
            .Set("nonsense")
            .Option("--broker-port", "listenPort", "-1"));

        var thrown = Assert.Throws<SettingsException>(load.GetOrThrow);
        Assert.Equal(6, thrown.Problems.Count);
        Assert.Equal(
            """
            The settings of the broker hold 6 errors:
              environment GRAYMQ_LISTEN_PORT: listenPort=x: expected an integer from 1 to 65535
              broker.conf:3: expected four hexadecimal digits after \u
              broker.conf:1: listenPrt=1: unknown setting, expected a key of the broker; did you mean listenPort?
              broker.conf:2: flushDiskType=never: expected ASYNC_FLUSH or SYNC_FLUSH
              --set: nonsense: expected key=value
              --broker-port: listenPort=-1: expected an integer from 1 to 65535
            """,
            thrown.Message);
    }

    [Theory]
    [InlineData("listenport", "listenPort")]
    [InlineData("lisntePort", "listenPort")]
    [InlineData("flushDisk", "flushDiskType")]
    [InlineData("brokerIp", "brokerIP")]
    [InlineData("namesrvAddress", "namesrvAddr")]
    [InlineData("warmMappedFileEnable", "warmMapedFileEnable")]
    public void Load_UnknownKey_NamesTheNearestKnownName(string key, string nearest)
    {
        SettingProblem error = Assert.Single(Sample.LoadFile($"\n{key}=1").Errors);

        Assert.Equal(
            $"broker.conf:2: {key}=1: unknown setting, expected a key of the broker; did you mean {nearest}?",
            error.ToString());
    }

    [Theory]
    [InlineData("t1", "vm", null)]
    [InlineData("ab", "abc", null)]
    [InlineData("foo", "fab", null)]
    [InlineData("lst", "list", "list")]
    [InlineData("sned", "send", "send")]
    [InlineData("greetigns", "greetings", "greetings")]
    public void Find_ShortNames_AreNotGuessedFromHalfOfThem(string name, string candidate, string? nearest)
    {
        Assert.Equal(nearest, NearestName.Find(name, [candidate]));
    }

    [Fact]
    public void Load_UnknownKeyLikeNothing_GuessesNothing()
    {
        Assert.Equal(
            "--set: quux=1: unknown setting, expected a key of the broker",
            Assert.Single(Sample.Load("quux=1").Errors).ToString());
        Assert.Single(Sample.Load(new string('x', 100_000) + "=1").Errors);
    }

    [Fact]
    public void Load_IgnoredKey_CostsAWarningOnly()
    {
        SettingsLoad load = Sample.LoadFile("warmMapedFileEnable=maybe\nfilterServerNums=1\nlistenPort=7");

        Assert.Equal(7, load.GetOrThrow().Get(Sample.ListenPort));
        Assert.Equal(
            [
                "broker.conf:1: warmMapedFileEnable: a RocketMQ setting that has no meaning here and is ignored",
                "broker.conf:2: filterServerNums: a RocketMQ setting that has no meaning here and is ignored " +
                "(RocketMQ reads it up to 5.1.0 only)",
            ],
            load.Warnings.Select(warning => warning.ToString()));
    }

    [Fact]
    public void Load_Alias_StandsForItsKey()
    {
        EffectiveSettings settings = Sample.LoadFile("brokerIP=10.0.0.1").GetOrThrow();

        Assert.Equal("10.0.0.1", settings.Get(Sample.BrokerIP1));
    }

    [Fact]
    public void Load_KeyGivenTwiceInAFile_LastOneCountsWithAWarning()
    {
        SettingsLoad load = Sample.LoadFile("listenPort=1\nlistenPort=2\nlistenPort=2");

        Assert.Equal(2, load.GetOrThrow().Get(Sample.ListenPort));
        Assert.Equal(
            "broker.conf:2: listenPort: given again, the value of line 1 does not count",
            Assert.Single(load.Warnings).ToString());
    }

    [Fact]
    public void Load_BrokenRule_NamesKeyAndPlace()
    {
        SettingsCatalogue catalogue = Sample.Catalogue().Require(
            Sample.HaListenPort,
            settings => settings.Get(Sample.HaListenPort) == settings.Get(Sample.ListenPort) ? "a port other than listenPort" : null);

        SettingsLoad load = catalogue.Load(new SettingsSources().Set("haListenPort=10911"));

        Assert.Null(load.Settings);
        Assert.Equal(
            "--set: haListenPort=10911: expected a port other than listenPort", Assert.Single(load.Errors).ToString());
    }

    [Fact]
    public void Load_WrongSecret_IsNotPrinted()
    {
        SettingsCatalogue catalogue = new SettingsCatalogue("broker").Define(
            Setting.Text("password", "", "A password.") with { Secret = true, Check = _ => "something longer" });

        SettingProblem error = Assert.Single(catalogue.Load(new SettingsSources().Set("password=hunter2")).Errors);

        Assert.Equal("--set: password=******: expected something longer", error.ToString());
    }

    [Fact]
    public void Load_ControlCharactersAndLongValues_DoNotReachTheTerminal()
    {
        string text = Assert.Single(Sample.Load("tlsMode=\u001b[31m" + new string('x', 5000)).Errors).ToString();

        Assert.DoesNotContain('\u001b', text);
        Assert.InRange(text.Length, 100, 250);
    }

    [Fact]
    public void Define_SameKeyTwice_Throws()
    {
        Assert.Throws<ArgumentException>(() => Sample.Catalogue().Define(Sample.ListenPort));
        Assert.Throws<ArgumentException>(() => Sample.Catalogue().Alias("brokerIP", "listenPort"));
        Assert.Throws<ArgumentException>(() => Sample.Catalogue().Alias("other", "unknown"));
    }

    [Fact]
    public void Get_UnknownKeyOrOtherType_Throws()
    {
        EffectiveSettings settings = Sample.Load().GetOrThrow();

        Assert.Throws<ArgumentException>(() => settings.Get<int>("nothing"));
        Assert.Throws<ArgumentException>(() => settings.Get<long>("listenPort"));
    }
}
