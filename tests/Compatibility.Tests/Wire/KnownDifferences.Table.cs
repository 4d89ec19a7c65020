namespace GrayMQ.Compatibility.Tests.Wire;

internal static partial class KnownDifferences
{
    private const string JustStarted =
        "RocketMQ's broker had run since the messages were sent; the one under test has just started on its store, and has sent and "
        + "delivered none of them.";

    private const string Sampled =
        "RocketMQ looks at its counters every 10 seconds, 10 minutes and hour, and shows the difference of two such samples: the last "
        + "minute had seen nothing, and hour and day had no second sample. Here what has been counted since the last sample is shown too.";

    private static readonly string[] Everywhere = [];
    private static readonly string[] MqAdmin = ["mqadmin"];
    private static readonly string[] Timers = ["delay-timer-recall"];
    private static readonly string[] Delivered = ["delay-timer-recall", "retry-dlq"];
    private static readonly string[] Sent = ["registration sent"];
    private static readonly string[] Popping = ["pop"];
    private static readonly string[] WithBatch = ["send-pull", "send-pull-binary"];

    private static readonly Entry[] Table =
    [
        new(Everywhere, null, "language", "JAVA", "DOTNET",
            "An answer says in which language the server is written; clients do not look at it."),
        new(["send-pull-binary"], null, "serializeTypeCurrentRPC", "JSON", "ROCKETMQ",
            "RocketMQ answers in the form that the server is set to (JSON); here the answer has the form of the request. "
            + "Clients read either, as each frame says which it is."),
        new(WithBatch, 11, @"message\[\d\]\.properties\.UNIQ_KEY", @"\w{32} then \w{32}", @"\w{32}",
            "RocketMQ puts the unique key of a batch behind each message's own, so that a consumer sees the batch's id for each of "
            + "its messages, though the producer was told others. Here each message keeps its own."),
        new(WithBatch, 11, @"message\[\d\]\.totalBytes", "299|305", "257|263",
            "A message of a batch is shorter by the batch's unique key, 42 bytes."),
        new(["lite-pull"], 31, "remark", "", "\\(nothing\\)",
            "An empty remark is not sent."),
        new(["orderly", "request-reply", "retry-dlq", "delay-timer-recall", "pop", "transaction"], 14, "remark", "Not found, V3_0_6_SNAPSHOT.*", "not found: .*",
            "QUERY_NOT_FOUND says in words of its own that a group has no offset; clients go by the code."),

        new(Timers, 370, "remark", "not set any response code", @"\(nothing\)",
            "RocketMQ leaves its place holder for a remark in the successful answer."),
        new(Delivered, 11, @"message\[0\]\.preparedTransactionOffset", "0", @"-\d+",
            "A delivered message names the record that waited, so that a kill cannot have it delivered twice."),
        new(Timers, 11, @"message\[0\]\.physicalOffset", "1574|1860", "1559|1845",
            "What is stored for a recall is 15 bytes shorter: an empty TRACE_CONTEXT is left out."),
        new(["transaction"], 11, @"message\[0\]\.preparedTransactionOffset", @"\d+", @"\d+",
            "A message that was committed after a check names the half message that its producer sent; RocketMQ's names the copy that "
            + "the last check was about."),

        new(Popping, 200053, "remark", "not set any response code", @"\(nothing\)",
            "RocketMQ leaves its place holder for a remark in the successful answer."),
        new(Popping, 200050, @"extFields\.reviveQid", @"\d", "0",
            "There are no revive queues: check points are in RocksDB. Clients send back what they were given."),
        new(Popping, 200050, @"message\[\d+\]\.physicalOffset", "9706", @"\d+",
            "RocketMQ keeps check points and acks as messages, in the same log; here there are none between a message and its retry."),
        new(Popping, 200050, @"message\[\d+\]\.preparedTransactionOffset", "0", @"-\d+",
            "A message that is given back names its original in this field, which clients use for halves of transactions only: after a "
            + "crash the log tells that it was given back."),

        new(MqAdmin, 17, "remark", "not set any response code", @"\(nothing\)",
            "RocketMQ leaves its place holder for a remark in the successful answer."),
        new(MqAdmin, 300, @"body\.groupList\[""Golden\w+""\]", @"""Golden\w+""", @"\(nothing\)",
            "RocketMQ 5.3.3 lists each topic that had a consumer as a group of itself (ConsumerManager adds the topic's name)."),
        new(MqAdmin, 315, "code", "0", "1", JustStarted),
        new(MqAdmin, 315, "remark", @"\(nothing\)", "The stats <(TOPIC_PUT_NUMS|GROUP_GET_NUMS)> <.*> not exist", JustStarted),
        new(MqAdmin, 315, "body", @"\{""statsDay"":.*\}", "", JustStarted),
        new(["mqadmin statistics"], 315, @"body\.stats(Minute|Hour|Day)\.sum", "0", "10|11", Sampled),
        new(["mqadmin statistics"], 315, @"body\.stats(Minute|Hour|Day)\.(tps|avgpt)", @"0\.0", @"\d+\.\d+", Sampled),
        new(MqAdmin, 208, @"body\.consumeTps", @"1\.5166413893101782", @"0\.0", JustStarted),
        new(MqAdmin, 208, @"body\.offsetTable\.\{.*\}\.pullOffset", @"\d+", @"\d+",
            "How far a group has pulled is known in memory only, here as in RocketMQ: after a start it is where the group has committed."),
        new(MqAdmin, 317, @"body\.consumeStatsList\..*\.pullOffset", "0", @"\d+",
            "RocketMQ leaves out how far groups have pulled when it is asked for all of them; here it is what it is for one group."),
        new(MqAdmin, 317, @"body\.totalInflightDiff", "-75", "0",
            "RocketMQ counts messages in flight from the pull offsets that it has left out, and comes below zero."),

        new(Sent, 103, "extFields\\.heartbeatTimeoutMillis", "\\(nothing\\)", "120000",
            "RocketMQ's broker tells how long it may be silent (brokerNotActiveTimeoutMillis) only where slaves may act as masters; "
            + "here it always does, with RocketMQ's default."),
        new(Sent, 103, @"body\.topicConfigSerializeWrapper\.dataVersion\.counter", "0", "1",
            "The version of the topics counts the making of the system topics as one change."),
        new(Sent, 103, @"body\.topicConfigSerializeWrapper\.dataVersion\.timestamp", @"\d+", @"\d+",
            "The version holds the time of the broker's start."),
        new(Sent, 103, @"body\.topicConfigSerializeWrapper\.mappingDataVersion\.timestamp", @"\d+", "0",
            "There are no static topics, so their mappings have no version."),
        new(Sent, 103, @"body\.topicConfigSerializeWrapper\.topicConfigTable\.rmq_sys_REVIVE_LOG_DefaultCluster", @"\{.*\}", @"\(nothing\)",
            "Pop has no revive topic here: check points are not kept as messages."),
        new(Sent, 103, @"body\.topicConfigSerializeWrapper\.topicConfigTable\.rmq_sys_SYNC_BROKER_MEMBER_broker-a", @"\{.*\}", @"\(nothing\)",
            "The topic by which a broker's replicas find each other: there are none."),
    ];
}
