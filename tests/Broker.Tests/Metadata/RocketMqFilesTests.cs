using System.Text;
using System.Text.RegularExpressions;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Metadata;

public sealed partial class RocketMqFilesTests : IDisposable
{
    private const string Topics = "topics.json";
    private const string Groups = "subscriptionGroup.json";
    private const string Offsets = "consumerOffset.json";
    private const string Modes = "messageRequestMode.json";

    private readonly BrokerDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Open_FirstStartInRocketMQsDirectory_TakesEverythingOver()
    {
        _directory.TakeGolden(Topics, Groups, Offsets);

        TopicTable topics = _directory.OpenTopics();
        SubscriptionGroupTable groups = _directory.OpenGroups();
        ConsumerOffsetTable offsets = _directory.OpenOffsets();

        Dictionary<string, TopicConfig> expectedTopics = Golden<TopicConfigSerializeWrapper>(Topics).TopicConfigTable;
        Assert.NotEmpty(expectedTopics);
        Assert.All(expectedTopics, pair => Assert.Equal(pair.Value, topics.Find(pair.Key)!.Config));
        Assert.Equal(new DataVersion(27, 0, 1795293968784), topics.Version);
        Dictionary<string, SubscriptionGroupConfig> expectedGroups = Golden<SubscriptionGroupWrapper>(Groups).SubscriptionGroupTable;
        Assert.Equal(expectedGroups.Keys.Order(StringComparer.Ordinal), groups.Snapshot().Groups.Select(group => group.GroupName));
        Assert.Equal(new DataVersion(12, 0, 1795293953015), groups.Version);
        Assert.Equal(new Dictionary<int, long> { [0] = 4, [1] = 3, [2] = 2, [3] = 1 }, offsets.FindAll("GC_Goldensendpull", "Goldensendpull"));
        Assert.Equal(1, offsets.Find("GB@broadcast", "Goldenbroadcast", 2));
        Assert.Equal(["%RETRY%GRETRY", "Goldenretrydlq"], offsets.TopicsOf("GRETRY"));
        Assert.Empty(offsets.GroupsOf("Goldenbroadcast"));
    }

    [Fact]
    public void Export_OfWhatWasTakenOver_SaysTheSame()
    {
        _directory.TakeGolden(Topics, Groups, Offsets);

        _directory.OpenExport().Write();

        // RocketMQ writes its maps in no order.
        Assert.Equal(Lines(File.ReadAllText(BrokerDirectory.Golden(Topics))), Lines(Written(Topics)));
        Assert.Equal(Lines(File.ReadAllText(BrokerDirectory.Golden(Groups))), Lines(Written(Groups)));
        Assert.Equal(Numbers(File.ReadAllText(BrokerDirectory.Golden(Offsets))), Numbers(Written(Offsets)));
        Assert.Equal(
            File.ReadAllText(BrokerDirectory.Golden(Topics)), File.ReadAllText(Path.Combine(_directory.Config, Topics + ".bak")));
    }

    [Fact]
    public void Modes_OfRocketMQ_AreTakenOverAndWrittenAsTheyWere()
    {
        _directory.TakeGolden(Modes);

        Assert.Equal(MessageRequestMode.Pop, _directory.OpenRequestModes().Find("GPOP", "Goldenpop")!.Mode);
        _directory.OpenExport().Write();

        Assert.Equal(File.ReadAllText(BrokerDirectory.Golden(Modes)), Written(Modes));
    }

    [Fact]
    public void Open_AfterTheFirstStart_DatabaseCounts()
    {
        _directory.TakeGolden(Topics, Groups, Offsets);
        _directory.OpenTopics().Put(new TopicConfig { TopicName = "New" });
        _directory.OpenOffsets().Commit("GO", "Goldenorderly", 0, 1_000);
        _directory.Close();

        Assert.NotNull(_directory.OpenTopics().Find("New"));
        Assert.Equal(1_000, _directory.OpenOffsets().Find("GO", "Goldenorderly", 0));
    }

    [Fact]
    public void Open_AfterAnExportThatWasFollowedByMore_DatabaseCounts()
    {
        _directory.OpenExport().Write();
        _directory.OpenTopics().Put(new TopicConfig { TopicName = "New" });
        _directory.Close(cleanly: false);
        Assert.NotNull(_directory.OpenTopics().Find("New"));

        _directory.OpenExport().Write();
        _directory.Close();
        Assert.NotNull(_directory.OpenTopics().Find("New"));
    }

    [Fact]
    public void Open_RocketMQHadTheDirectoryInBetween_ItsFileCounts()
    {
        _directory.OpenExport().Write();
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("g", "t", 0, 5);
        _directory.OpenTopics().Put(new TopicConfig { TopicName = "Kept" });
        _directory.Close();
        _directory.Write(Offsets, """{"dataVersion":{"counter":9,"stateVersion":0,"timestamp":1},"offsetTable":{"t@g":{0:50,1:51}}}""");

        offsets = _directory.OpenOffsets();

        Assert.Equal(new Dictionary<int, long> { [0] = 50, [1] = 51 }, offsets.FindAll("g", "t"));
        Assert.Equal(new DataVersion(9, 0, 1), offsets.Version);
        Assert.NotNull(_directory.OpenTopics().Find("Kept"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0\0")]
    [InlineData("{\"topicConfigTable\":{\"T\":{")]
    public void Open_FileIsBroken_UsesTheOneBefore(string contents)
    {
        _directory.TakeGolden(Topics);
        File.Move(Path.Combine(_directory.Config, Topics), Path.Combine(_directory.Config, Topics + ".bak"));
        _directory.Write(Topics, contents);

        Assert.NotNull(_directory.OpenTopics().Find("Goldenquery"));
    }

    [Fact]
    public void Open_FileIsMissingButNotTheOneBefore_UsesThat()
    {
        _directory.TakeGolden(Topics);
        File.Move(Path.Combine(_directory.Config, Topics), Path.Combine(_directory.Config, Topics + ".bak"));

        Assert.NotNull(_directory.OpenTopics().Find("Goldenquery"));
    }

    [Fact]
    public void Open_FileIsCutOff_NamesFileAndPlaceAndStartsWithNothing()
    {
        string whole = File.ReadAllText(BrokerDirectory.Golden(Offsets));
        string path = _directory.Write(Offsets, whole[..^20]);
        int line = whole[..^20].Count(c => c == '\n') + 1;

        MetadataException error = Assert.Throws<MetadataException>(() => _directory.Store);
        Assert.Contains($"{path} is broken", error.Message);
        Assert.Contains($"line {line}, byte ", error.Message);
        Assert.Contains($"{path}.bak is missing", error.Message);

        File.WriteAllText(path, whole);
        Assert.Equal(4, _directory.OpenOffsets().Find("GO", "Goldenorderly", 0));
    }

    [Theory]
    [InlineData(Topics, """{"topicConfigTable":{"T":{"topicName":"T","perm":"six"}}}""", "$.topicConfigTable.T.perm")]
    [InlineData(Topics, """{"topicConfigTable":{"T":{"topicName":"Other"}}}""", "topicConfigTable/T is named Other")]
    [InlineData(Groups, """{"subscriptionGroupTable":{"g":{}}}""", "subscriptionGroupTable/g is named ")]
    [InlineData(Offsets, """{"offsetTable":{"tg":{0:1}}}""", "offsetTable/tg is not topic@group")]
    [InlineData(Offsets, """{"offsetTable":{"t@g":{70000:1}}}""", "offsetTable/t@g has an offset for queue 70000")]
    [InlineData(Modes, """{"messageRequestModeMap":{"T":{"g":{"consumerGroup":"h","topic":"T"}}}}""", "messageRequestModeMap/T/g is of T@h")]
    [InlineData(Offsets, "", "is empty")]
    public void Open_FileSaysWhatCannotBe_NamesFileAndPlace(string name, string contents, string place)
    {
        string path = _directory.Write(name, contents);

        MetadataException error = Assert.Throws<MetadataException>(() => _directory.Store);

        Assert.Contains(path, error.Message);
        Assert.Contains(place, error.Message);
    }

    [Fact]
    public void Open_OffsetsOfClientsThatKnewNone_AreLeftOut()
    {
        _directory.Write(Offsets, """{"offsetTable":{"t@g":{0:-1,1:7}}}""");

        Assert.Equal(new Dictionary<int, long> { [1] = 7 }, _directory.OpenOffsets().FindAll("g", "t"));
    }

    [Fact]
    public void Open_RocketMQKeptItsMetadataInRocksDB_IsRefused()
    {
        string directory = Directory.CreateDirectory(Path.Combine(_directory.Config, "consumerOffsets")).FullName;
        File.WriteAllText(Path.Combine(directory, "CURRENT"), "MANIFEST-000001\n");

        MetadataException error = Assert.Throws<MetadataException>(() => _directory.Store);

        Assert.Contains(directory, error.Message);
        Assert.Contains("rocksDBConfigToJson", error.Message);
    }

    [Fact]
    public void Open_DatabaseLostItsBeginning_IsRefused()
    {
        _directory.OpenTopics();
        _directory.Close();
        File.Delete(Path.Combine(_directory.Config, "graymq.db", "CURRENT"));

        MetadataException error = Assert.Throws<MetadataException>(() => _directory.Store);

        Assert.Contains("CURRENT is missing", error.Message);
    }

    [Fact]
    public void Export_AllThatATableHolds_IsTakenOverByAnotherBroker()
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();
        groups.Put(new SubscriptionGroupConfig
        {
            GroupName = "g",
            GroupRetryPolicy = new GroupRetryPolicy { Type = GroupRetryPolicyType.Exponential, ExponentialRetryPolicy = new() },
        });
        groups.ForbidReading("g", "t", true);
        _directory.OpenTopics().Put(
            new TopicConfig { TopicName = "t", Perm = TopicPermission.Read, Order = true, Attributes = new() { ["+message.type"] = "FIFO" } });
        _directory.Close();
        _directory.OpenExport().Write();
        _directory.Close();
        Directory.Delete(Path.Combine(_directory.Config, "graymq.db"), recursive: true);

        Assert.Equal(
            new TopicConfig { TopicName = "t", Perm = TopicPermission.Read, Order = true, Attributes = new() { ["message.type"] = "FIFO" } },
            _directory.OpenTopics().Find("t")!.Config);
        groups = _directory.OpenGroups();
        Assert.Equal(GroupRetryPolicyType.Exponential, groups.FindExisting("g")!.GroupRetryPolicy!.Type);
        Assert.True(groups.IsReadForbidden("g", "t"));
    }

    private static T Golden<T>(string name) => BodyCodec.Decode<T>(File.ReadAllBytes(BrokerDirectory.Golden(name)).AsSpan());

    private static IEnumerable<string> Lines(string json) =>
        json.Split('\n').Select(line => line.Trim().TrimEnd(',')).Where(line => line.Length > 0).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Numbers(string json) =>
        NumberOrName().Matches(json).Select(match => match.Value).Order(StringComparer.Ordinal);

    private string Written(string name) => File.ReadAllText(Path.Combine(_directory.Config, name), Encoding.UTF8);

    [GeneratedRegex("\"[^\"]*\"|[0-9]+:[0-9]+|[0-9]+")]
    private static partial Regex NumberOrName();
}
