namespace GrayMQ.Settings.Tests;

public sealed class SettingsChangeTests
{
    private const string Request = "updateBrokerConfig";

    [Fact]
    public void TryApply_ChangeableKeys_MakesNewSettingsAndLeavesTheOld()
    {
        EffectiveSettings before = Sample.Load("longPollingMs=5").GetOrThrow();

        bool applied = before.TryApply(
            [new("longPollingMs", "20"), new("autoCreateTopicEnable", "false")], Request,
            out EffectiveSettings? after, out IReadOnlyList<SettingProblem> errors);

        Assert.True(applied);
        Assert.Empty(errors);
        Assert.Equal(20, after!.Get(Sample.MaxWait));
        Assert.False(after.Get(Sample.AutoCreate));
        Assert.Equal(SettingPlace.Running(Request), after.Find("longPollingMs").Place);
        Assert.Equal(SettingPlace.Default, after.Find("listenPort").Place);
        Assert.Equal(5, before.Get(Sample.MaxWait));
        Assert.True(before.Get(Sample.AutoCreate));
    }

    [Fact]
    public void TryApply_OneBadChange_AppliesNoneAndNamesEach()
    {
        EffectiveSettings before = Sample.Load().GetOrThrow();

        bool applied = before.TryApply(
            [
                new("longPollingMs", "20"), new("longPolingMs", "20"), new("listenPort", "7"), new("deleteWhen", "99"),
                new("warmMapedFileEnable", "true"),
            ],
            Request, out EffectiveSettings? after, out IReadOnlyList<SettingProblem> errors);

        Assert.False(applied);
        Assert.Null(after);
        Assert.Equal(
            [
                "updateBrokerConfig: longPolingMs=20: unknown setting, expected a key of the broker; did you mean longPollingMs?",
                "updateBrokerConfig: listenPort=7: cannot be changed while the broker runs (it is 10911); " +
                "change it in the configuration and restart",
                "updateBrokerConfig: deleteWhen=99: expected hours from 00 to 23 separated by ';'",
                "updateBrokerConfig: warmMapedFileEnable=true: a RocketMQ setting that has no meaning here, " +
                "so there is nothing to change",
            ],
            errors.Select(error => error.ToString()));
    }

    [Fact]
    public void TryApply_WholeConfigurationSentBack_ChangesWhatDiffers()
    {
        EffectiveSettings before = Sample.Load("tlsKeyPassword=secret", "brokerIP1=ü", "listenPort=7").GetOrThrow();
        string text = before.ToProperties().Replace("longPollingMs=30000", "longPollingMs=1", StringComparison.Ordinal);
        IEnumerable<KeyValuePair<string, string>> changes =
            SettingsFile.Parse("request", text).Entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Value));

        bool applied = before.TryApply(changes, Request, out EffectiveSettings? after, out IReadOnlyList<SettingProblem> errors);

        Assert.True(applied, string.Join('\n', errors));
        Assert.Equal("secret", after!.Get(Sample.Password));
        Assert.Equal("ü", after.Get(Sample.BrokerIP1));
        Assert.Equal(["longPollingMs"], after.All.Where(s => s.Place.Source == SettingSource.Running).Select(s => s.Key));
    }

    [Fact]
    public void TryApply_BrokenRule_IsRefused()
    {
        EffectiveSettings before = Sample.Catalogue()
            .Require(Sample.MaxWait, settings => settings.Get(Sample.MaxWait) > 60_000 ? "a minute at most" : null)
            .Load(new SettingsSources())
            .GetOrThrow();

        bool applied = before.TryApply([new("longPollingMs", "60001")], Request, out _, out IReadOnlyList<SettingProblem> errors);

        Assert.False(applied);
        Assert.Equal("updateBrokerConfig: longPollingMs=60001: expected a minute at most", Assert.Single(errors).ToString());
    }

    [Fact]
    public void TryApply_DerivedDefaults_FollowOnlyWhereTheyMayChange()
    {
        SettingDefinition<int> bodyBytes = Setting.Int32("bodyBytes", 10, "…") with { ChangeableWhileRunning = true };
        SettingDefinition<int> follows = Setting.Int32("follows", 0, "…") with
        {
            ChangeableWhileRunning = true,
            Derive = settings => settings.Get(bodyBytes) * 2,
        };
        SettingDefinition<int> stays = Setting.Int32("stays", 0, "…") with
        {
            Derive = settings => settings.Get(bodyBytes) * 3,
        };
        EffectiveSettings before = new SettingsCatalogue("broker").Define(bodyBytes, follows, stays)
            .Load(new SettingsSources()).GetOrThrow();

        Assert.True(before.TryApply([new("bodyBytes", "100")], Request, out EffectiveSettings? after, out _));

        Assert.Equal((100, 200, 30), (after.Get(bodyBytes), after.Get(follows), after.Get(stays)));
    }
}
