using System.Net;
using System.Text;
using GrayMQ.Broker.Metadata;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Topics;

public sealed class TopicTableTests : IDisposable
{
    private static readonly IPEndPoint Producer = new(IPAddress.Loopback, 1);

    private readonly BrokerDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Open_EmptyStore_HasTheSystemTopicsOfRocketMQ()
    {
        TopicTable topics = _directory.OpenTopics();

        Assert.Equal(
            [
                "BenchmarkTest 1024 6", "DefaultCluster 16 7", "DefaultCluster_REPLY_TOPIC 1 6", "OFFSET_MOVED_EVENT 1 6",
                "RMQ_SYS_TRANS_HALF_TOPIC 1 6", "RMQ_SYS_TRANS_OP_HALF_TOPIC 1 6", "SCHEDULE_TOPIC_XXXX 18 6", "SELF_TEST_TOPIC 1 6",
                "TBW102 8 7", "broker-a 1 7", "rmq_sys_wheel_timer 1 6",
            ],
            topics.Snapshot().Topics.Select(topic => $"{topic.Name} {topic.Config.ReadQueueNums} {topic.Config.Perm}"));
        Assert.All(topics.Snapshot().Topics, topic => Assert.True(topic.IsSystem));
        Assert.True(topics.Find("SCHEDULE_TOPIC_XXXX")!.IsForbiddenToSend);
        Assert.False(topics.Find("TBW102")!.IsForbiddenToSend);
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(8, 8)]
    [InlineData(100, 8)]
    [InlineData(-1, 0)]
    public void CreateOnSend_QueuesWanted_AreAtMostTheTemplates(int wanted, int expected)
    {
        TopicTable topics = _directory.OpenTopics();

        Topic topic = topics.CreateOnSend("T", "TBW102", wanted, unitMode: false, Producer)!;

        Assert.Equal(
            new TopicConfig { TopicName = "T", ReadQueueNums = expected, WriteQueueNums = expected, Perm = TopicPermission.ReadWrite },
            topic.Config);
        Assert.Same(topic, topics.Find("T"));
        Assert.Same(topic, topics.CreateOnSend("T", "TBW102", wanted, unitMode: false, Producer));
        Assert.False(topic.IsSystem);
    }

    [Theory]
    [InlineData("T", "BenchmarkTest")]
    [InlineData("T", "NoSuchTopic")]
    [InlineData("a topic", "TBW102")]
    [InlineData("", "TBW102")]
    public void CreateOnSend_NotAllowed_CreatesNothing(string name, string template)
    {
        TopicTable topics = _directory.OpenTopics();
        DataVersion version = topics.Version;

        Assert.Null(topics.CreateOnSend(name, template, 4, unitMode: false, Producer));
        Assert.Null(topics.Find(name));
        Assert.Equal(version, topics.Version);
    }

    [Fact]
    public void CreateOnSend_AutoCreateSwitchedOffAndOn_FollowsTheSetting()
    {
        _directory.OpenTopics();
        _directory.Close();
        _directory.TopicOptions = _directory.TopicOptions with { AutoCreateTopicEnable = false };
        TopicTable off = _directory.OpenTopics();
        Assert.Null(off.CreateOnSend("T", "TBW102", 4, unitMode: false, Producer));
        Assert.Equal(TopicPermission.ReadWrite, off.Find("TBW102")!.Config.Perm);

        _directory.Close();
        _directory.TopicOptions = _directory.TopicOptions with { AutoCreateTopicEnable = true };
        Assert.NotNull(_directory.OpenTopics().CreateOnSend("T", "TBW102", 4, unitMode: false, Producer));
    }

    [Fact]
    public void CreateOnSend_UnitMode_IsKeptInTheFlags()
    {
        TopicTable topics = _directory.OpenTopics();

        Assert.Equal(1, topics.CreateOnSend("T", "TBW102", 4, unitMode: true, Producer)!.Config.TopicSysFlag);
        Assert.Equal(2, topics.CreateOnSend("%RETRY%g", "TBW102", 4, unitMode: true, Producer)!.Config.TopicSysFlag);
    }

    [Fact]
    public void CreateOnSendBack_NewAndAgain_FollowsTheOrderOnly()
    {
        TopicTable topics = _directory.OpenTopics();
        string name = TopicNames.RetryOf(new string('g', GroupNames.MaxLength));

        Topic topic = topics.CreateOnSendBack(name, 2);
        Topic again = topics.CreateOnSendBack(name, 7, order: true);

        Assert.Same(topic, again);
        Assert.True(topic.IsRetry);
        Assert.Equal((2, true), (topic.Config.WriteQueueNums, topic.Config.Order));
    }

    [Fact]
    public void Put_NewThenChanged_SurvivesAndIsTold()
    {
        TopicTable topics = _directory.OpenTopics();
        var changes = new List<TopicChange>();
        topics.Changed += changes.Add;
        DataVersion before = topics.Version;
        var created = new TopicConfig { TopicName = "T", ReadQueueNums = 2, WriteQueueNums = 3, Perm = 6, Attributes = new() { ["+message.type"] = "FIFO" } };

        topics.Put(created);
        Topic topic = topics.Find("T")!;
        topics.Put(created with { ReadQueueNums = 4, Order = true, Attributes = [] });
        topics.Put(created with { ReadQueueNums = 4, Order = true, Attributes = [] });

        TopicConfig expected = created with { ReadQueueNums = 4, Order = true, Attributes = new() { ["message.type"] = "FIFO" } };
        Assert.Equal(expected, topic.Config);
        Assert.Equal(before.Counter + 2, topics.Version.Counter);
        Assert.Equal([before.Counter + 1, before.Counter + 2], changes.Select(change => change.Version.Counter));
        Assert.All(changes, change => Assert.Same(topic, Assert.Single(change.Put)));

        DataVersion version = topics.Version;
        _directory.Close(cleanly: false);
        topics = _directory.OpenTopics();
        Assert.Equal(expected, topics.Find("T")!.Config);
        Assert.Equal(version, topics.Version);
    }

    [Fact]
    public void Put_OneOfManyIsInvalid_ChangesNone()
    {
        TopicTable topics = _directory.OpenTopics();

        RemotingException refused = Assert.Throws<RemotingException>(
            () => topics.Put(new TopicConfig { TopicName = "Good" }, new TopicConfig { TopicName = "Bad", Perm = 8 }));

        Assert.Equal(ResponseCode.InvalidParameter, refused.Code);
        Assert.Null(topics.Find("Good"));
    }

    [Theory]
    [InlineData("a b", 1, 6, "illegal characters")]
    [InlineData("T", -1, 6, "cannot have -1 read")]
    [InlineData("T", 65_537, 6, "at most 65536")]
    [InlineData("T", 1, -1, "permission -1")]
    public void Put_Invalid_IsRefusedWithTheReason(string name, int queueNums, int permission, string reason)
    {
        TopicTable topics = _directory.OpenTopics();

        RemotingException refused = Assert.Throws<RemotingException>(
            () => topics.Put(new TopicConfig { TopicName = name, ReadQueueNums = queueNums, Perm = permission }));

        Assert.Equal(ResponseCode.InvalidParameter, refused.Code);
        Assert.Contains(reason, refused.Message);
    }

    [Theory]
    [InlineData("+message.type", "WHAT", "expected one of")]
    [InlineData("+message.type", "MIXED", "MIXED message type is not supported")]
    [InlineData("+cleanup.policy", "COMPACTION", "not supported by this broker")]
    [InlineData("+queue.type", "BatchCQ", "not supported by this broker")]
    [InlineData("+reserve.time", "1000", "not supported by this broker")]
    [InlineData("+reserve.time", "soon", "expected -1 or a number")]
    [InlineData("+colour", "red", "unsupported key: colour")]
    [InlineData("message.type", "FIFO", "wrong format key")]
    [InlineData("-message.type", "", "only add attribute is supported")]
    [InlineData("+", "FIFO", "kv string format wrong")]
    public void Put_AttributesThatCannotBe_AreRefused(string key, string value, string reason)
    {
        TopicTable topics = _directory.OpenTopics();

        RemotingException refused = Assert.Throws<RemotingException>(
            () => topics.Put(new TopicConfig { TopicName = "T", Attributes = new() { [key] = value } }));

        Assert.Contains(reason, refused.Message);
        Assert.Null(topics.Find("T"));
    }

    [Fact]
    public void Put_AttributesOfAnExistingTopic_AreAltered()
    {
        TopicTable topics = _directory.OpenTopics();
        var config = new TopicConfig { TopicName = "T", Attributes = new() { ["+message.type"] = "FIFO", ["+queue.type"] = "SimpleCQ" } };
        topics.Put(config);

        topics.Put(config with { Attributes = new() { ["-message.type"] = "" } });
        Assert.Equal(new Dictionary<string, string> { ["queue.type"] = "SimpleCQ" }, topics.Find("T")!.Config.Attributes);

        RemotingException refused = Assert.Throws<RemotingException>(
            () => topics.Put(config with { Attributes = new() { ["-queue.type"] = "" } }));
        Assert.Contains("unchangeable", refused.Message);
        refused = Assert.Throws<RemotingException>(
            () => topics.Put(config with { Attributes = new() { ["-message.type"] = "" } }));
        Assert.Contains("nonexistent", refused.Message);
    }

    [Fact]
    public void Delete_Topic_IsGoneAlsoAfterARestart()
    {
        TopicTable topics = _directory.OpenTopics();
        topics.Put(new TopicConfig { TopicName = "T" });
        var changes = new List<TopicChange>();
        topics.Changed += changes.Add;

        Assert.True(topics.Delete("T"));
        Assert.False(topics.Delete("T"));

        Assert.Null(topics.Find("T"));
        Assert.Equal(["T"], Assert.Single(changes).Deleted);
        _directory.Close(cleanly: false);
        Assert.Null(_directory.OpenTopics().Find("T"));
    }

    [Fact]
    public void KeepOrder_SomeTopics_ChangesThoseThatAreHere()
    {
        TopicTable topics = _directory.OpenTopics();
        topics.Put(new TopicConfig { TopicName = "T" });
        DataVersion version = topics.Version;

        topics.KeepOrder(["T", "Elsewhere"]);
        topics.KeepOrder(["T", "Elsewhere"]);

        Assert.True(topics.Find("T")!.Config.Order);
        Assert.Equal(version.Counter + 1, topics.Version.Counter);
    }

    [Fact]
    public void RaiseVersion_NothingChanged_IsToldAndKept()
    {
        TopicTable topics = _directory.OpenTopics();
        DataVersion version = topics.Version;
        var changes = new List<TopicChange>();
        topics.Changed += changes.Add;

        topics.RaiseVersion();

        Assert.Equal(version.Counter + 1, topics.Version.Counter);
        Assert.Equal(topics.Version, Assert.Single(changes).Version);
        _directory.Close();
        Assert.Equal(version.Counter + 1, _directory.OpenTopics().Version.Counter);
    }

    [Fact]
    public void Find_ByBytes_AllocatesNothing()
    {
        TopicTable topics = _directory.OpenTopics();
        bool found = topics.Find("BenchmarkTest"u8) is not null;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            found &= topics.Find("BenchmarkTest"u8) is not null;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(found);
        Assert.Null(topics.Find("Benchmark"u8));
    }

    [Theory]
    [InlineData("{\"topicName\":\"Other\"}", "named Other")]
    [InlineData("{\"topicName\":", "line 1, byte 14")]
    public void Open_BrokenTopic_NamesDatabaseAndTopic(string json, string reason)
    {
        _directory.Store.Values.Put(_directory.Store.Topics, "T"u8, Encoding.UTF8.GetBytes(json));

        MetadataException error = Assert.Throws<MetadataException>(() => _directory.OpenTopics());

        Assert.Contains(Path.Combine(_directory.Config, "graymq.db") + ": topics/T", error.Message);
        Assert.Contains(reason, error.Message);
    }
}
