using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using GrayMQ.Compatibility.Tests.Servers;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>
/// Compares an answer with RocketMQ's, field by field. What cannot be equal between two runs is expected with its live value, and
/// held to it: the broker's address, the offset of a message in a log that starts at another place, the port that a message came
/// from. Times that the server takes lie between the replay's start and now.
/// </summary>
/// <param name="live">The servers under test.</param>
/// <param name="logStart">Physical offset at which the recording's first message stood.</param>
/// <param name="sameStore">The broker runs on the recorded broker's store: what is in it has the recorded values.</param>
/// <param name="ownLog">
/// The broker writes records of its own between the client's, and others than RocketMQ did: what stands where is learnt from the answers,
/// and has to stay so.
/// </param>
internal sealed class AnswerComparison(TestServers live, long logStart, bool sameStore, bool ownLog)
{
    private const int QueryMessage = 12;
    private const int CheckTransactionState = 39;

    // Answers with a unique key under the name of an offset id.
    private const int RecallMessage = 370;

    // UNIQ_KEY, 32 digits, two separators: RocketMQ stores a batch's key behind each message's own, this broker does not.
    private const int SecondUniqueKeyBytes = 8 + 1 + 32 + 1;

    private const int PopMessage = 200050;
    private const int ChangeInvisibleTime = 200053;

    private static readonly HashSet<int> WithMessages = [11, QueryMessage, 33, 361, PopMessage];

    // Times of storing, which another run cannot repeat.
    private static readonly HashSet<string> ServerTimes =
        ["lastUpdateTimestamp", "lastTimestamp", "indexLastUpdateTimestamp", "storeTimestamp", "PUSH_REPLY_TIME", "popTime"];

    // Times of a delayed message's waiting, some rounded to seconds.
    private static readonly HashSet<string> WaitingTimes =
        ["properties.TIMER_OUT_MS", "properties.TIMER_ENQUEUE_MS", "properties.TIMER_DEQUEUE_MS"];

    private const long RoundedMs = 1000;

    // Topic, broker and unique key stand around the time.
    private const int TimeInRecallHandle = 3;

    // Longer than any delay in a recording.
    private const long MaxDelayMs = 60_000;

    // Java's HashSet and ConcurrentHashMap: in no order.
    private static readonly HashSet<string> Sets = ["topicList", "groupList", "consumerIdList", "lockOKMQSet"];

    // A list of maps of one group each, in no order; so are the topics of a group.
    private const string StatsByGroup = "consumeStatsList";

    private readonly long _startedAt = live.Time.GetUtcNow().ToUnixTimeMilliseconds();
    private readonly HashSet<string> _clientHosts = [];
    private readonly List<long> _batchOffsets = [];

    // Where the messages that were pulled stand here, by where they stood in the recording.
    private readonly Dictionary<long, long> _pulled = [];
    private readonly Dictionary<long, long> _learnt = [];
    private readonly List<Mismatch> _mismatches = [];

    public IReadOnlyList<Mismatch> Mismatches => _mismatches;

    /// <summary>The handles of what was popped.</summary>
    public PopHandles Pops { get; } = new();

    /// <summary>Tells from where messages may come.</summary>
    public void AddClient(IPEndPoint local) => _clientHosts.Add(local.ToString());

    /// <summary>Tells what RocketMQ answered to a batch: which of its messages are longer than here.</summary>
    public void AddBatch(WireFrame expected) => _batchOffsets.AddRange(expected.Fields["msgId"].Split(',').Select(OffsetIn));

    /// <summary>Where a message stands here that the recorded client had pulled.</summary>
    public string LiveOffsetOfPulled(string recorded) => Text(_pulled[long.Parse(recorded, CultureInfo.InvariantCulture)]);

    /// <summary>Where a record stands here that an answer has named.</summary>
    public string LiveOffsetOfNamed(string recorded) => Text(_learnt[long.Parse(recorded, CultureInfo.InvariantCulture)]);

    /// <param name="request">The request that both answers are to; null when the server itself asks.</param>
    public void Compare(WireFrame? request, WireFrame expected, WireFrame actual)
    {
        string told = request is null
            ? "asked by the server"
            : string.Join(", ", request.Fields.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => $"{field.Key}={field.Value}"));
        int code = request?.Code ?? expected.Code;
        if (code is PopMessage or ChangeInvisibleTime)
        {
            Pops.Add(expected, actual);
        }

        Check("code", Text(expected.Code), Text(actual.Code));
        Check("flag", Text(expected.Flag), Text(actual.Flag));
        Check("remark", expected.Remark, actual.Remark);
        Check("language", expected.Language, actual.Language);
        Check("version", Text(expected.Version), Text(actual.Version));
        Check("serializeTypeCurrentRPC", expected.Serialization, actual.Serialization);
        foreach (string name in expected.Fields.Keys.Union(actual.Fields.Keys))
        {
            CheckField(name, expected.Fields.GetValueOrDefault(name), actual.Fields.GetValueOrDefault(name));
        }

        if ((WithMessages.Contains(code) && expected.Code == 0) || code == CheckTransactionState)
        {
            IReadOnlyList<StoredRecord> wanted = StoredRecord.DecodeAll(expected.Body);
            IReadOnlyList<StoredRecord> got = StoredRecord.DecodeAll(actual.Body);
            CompareMessages(code == PopMessage ? ByQueue(wanted) : wanted, code == PopMessage ? ByQueue(got) : got);
        }
        else if (IsJson(expected.Body) && IsJson(actual.Body))
        {
            CompareJson("body", LooseJson.Parse(expected.Body), LooseJson.Parse(actual.Body));
        }
        else
        {
            Check("body", Encoding.UTF8.GetString(expected.Body), Encoding.UTF8.GetString(actual.Body));
        }

        void Check(string field, string? wanted, string? got)
        {
            if (wanted != got)
            {
                _mismatches.Add(new Mismatch(code, field, wanted, got, told));
            }
        }

        void CheckField(string name, string? wanted, string? got)
        {
            string field = $"extFields.{name}";
            if (wanted is null || got is null)
            {
                Check(field, wanted, got);
            }
            else if (name == "offsetMsgId" || (name == "msgId" && code is not (RecallMessage or CheckTransactionState)))
            {
                Learn(wanted, got, OffsetIn);
                Check(field, string.Join(',', wanted.Split(',').Select(LiveMessageId)), got);
            }
            else if (name == "recallHandle")
            {
                CompareRecallHandles(field, RecallHandleIn(wanted), RecallHandleIn(got));
            }
            else if (name == "commitLogOffset")
            {
                Learn(wanted, got, id => long.Parse(id, CultureInfo.InvariantCulture));
                Check(field, LiveOffset(wanted), got);
            }
            else if (name == "bodyCrc32")
            {
                // RocketMQ: UtilAll.crc32 drops the sign bit.
                Check(field, Text(Crc32(actual.Body) & int.MaxValue), got);
            }
            else if (name == "properties")
            {
                CompareProperties(field, PropertiesIn(wanted), PropertiesIn(got));
            }
            else if (name == "bornHost")
            {
                Check(field, _clientHosts.Contains(got) ? got : "one of the clients' addresses", got);
            }
            else if (name is "startOffsetInfo" or "msgOffsetInfo")
            {
                Check(field, PopHandles.InOrder(wanted), PopHandles.InOrder(got));
            }
            else if (name == "indexLastUpdatePhyoffset")
            {
                Check(field, LiveOffset(wanted), got);
            }
            else
            {
                CheckValue(field, name, LiveText(wanted), got);
            }
        }

        void CompareProperties(string field, Dictionary<string, string> wanted, Dictionary<string, string> got)
        {
            foreach (string name in wanted.Keys.Union(got.Keys))
            {
                CheckValue($"{field}.{name}", name, wanted.GetValueOrDefault(name), got.GetValueOrDefault(name));
            }
        }

        void CheckValue(string field, string name, string? wanted, string? got)
        {
            if (!sameStore && wanted is not (null or "0") && ServerTimes.Contains(name))
            {
                CheckTime(field, wanted, got);
            }
            else
            {
                Check(field, wanted, got);
            }
        }

        void CheckTime(string field, string wanted, string? got, long earlierMs = 0, long laterMs = 0)
        {
            long from = _startedAt - earlierMs;
            long to = live.Time.GetUtcNow().ToUnixTimeMilliseconds() + laterMs;
            bool isLive = long.TryParse(got, NumberStyles.None, CultureInfo.InvariantCulture, out long time)
                && time >= from && time <= to;
            if (!isLive)
            {
                _mismatches.Add(new Mismatch(code, field, $"a time from {from} to {to} for {wanted}", got, told));
            }
        }

        void CompareRecallHandles(string field, string[] wanted, string[] got)
        {
            Check($"{field}.parts", Text(wanted.Length), Text(got.Length));
            foreach ((int index, (string want, string have)) in wanted.Zip(got).Index())
            {
                if (index == TimeInRecallHandle)
                {
                    CheckTime($"{field}[{Text(index)}]", want, have, RoundedMs, MaxDelayMs);
                }
                else
                {
                    Check($"{field}[{Text(index)}]", want, have);
                }
            }
        }

        void CompareMessages(IReadOnlyList<StoredRecord> wanted, IReadOnlyList<StoredRecord> got)
        {
            Check("messages", Text(wanted.Count), Text(got.Count));
            foreach ((int index, (StoredRecord want, StoredRecord have)) in wanted.Zip(got).Index())
            {
                _pulled[want.PhysicalOffset] = have.PhysicalOffset;
                Dictionary<string, string> haveFields = have.Fields().ToDictionary(StringComparer.Ordinal);
                Dictionary<string, string> wantFields = want.Fields().ToDictionary(StringComparer.Ordinal);
                foreach (string name in wantFields.Keys.Union(haveFields.Keys))
                {
                    CheckMessageField(
                        $"message[{Text(index)}].{name}", name, wantFields.GetValueOrDefault(name), haveFields.GetValueOrDefault(name));
                }
            }
        }

        void CheckMessageField(string field, string name, string? wanted, string? got)
        {
            switch (name)
            {
                case "properties.ORIGIN_MESSAGE_ID":
                    Check(field, wanted is null ? null : LiveMessageId(wanted), got);
                    break;
                case "properties.POP_CK":
                    Check(field, wanted is null ? null : Pops.Live(wanted), got);
                    break;
                case "properties.1ST_POP_TIME":
                    Check(field, wanted is null ? null : Pops.LiveTime(wanted), got);
                    break;
                case "physicalOffset":
                    Learn(wanted!, got!, id => long.Parse(id, CultureInfo.InvariantCulture));
                    Check(field, LiveOffset(wanted!), got);
                    break;
                case "preparedTransactionOffset" when wanted != "0":
                    Check(field, LiveOffset(wanted!), got);
                    break;
                case "storeHost" when !sameStore:
                    Check(field, live.BrokerAddress, got);
                    break;
                case "bornHost" when !sameStore:
                    Check(field, _clientHosts.Contains(got!) ? got : "one of the clients' addresses", got);
                    break;
                case not null when !sameStore && wanted is not null && WaitingTimes.Contains(name):
                    CheckTime(field, wanted, got, RoundedMs);
                    break;
                default:
                    CheckValue(field, name!, wanted, got);
                    break;
            }
        }

        void CompareJson(string path, JsonNode wanted, JsonNode got)
        {
            if (wanted is JsonNode.Object wantedObject && got is JsonNode.Object gotObject)
            {
                foreach (string name in wantedObject.Members.Keys.Union(gotObject.Members.Keys))
                {
                    string member = $"{path}.{name}";
                    if (!wantedObject.Members.TryGetValue(name, out JsonNode? want)
                        || !gotObject.Members.TryGetValue(name, out JsonNode? have))
                    {
                        Check(member, wantedObject.Members.GetValueOrDefault(name)?.ToString(), gotObject.Members.GetValueOrDefault(name)?.ToString());
                    }
                    else if (Sets.Contains(name) && want is JsonNode.Array wantedSet && have is JsonNode.Array gotSet)
                    {
                        CompareSets(member, wantedSet, gotSet);
                    }
                    else if (name == StatsByGroup && want is JsonNode.Array wantedGroups && have is JsonNode.Array gotGroups)
                    {
                        CompareJson(member, ByGroup(wantedGroups), ByGroup(gotGroups));
                    }
                    else
                    {
                        CompareJson(member, want, have);
                    }
                }
            }
            else if (wanted is JsonNode.Array wantedItems && got is JsonNode.Array gotItems && wantedItems.Items.Count == gotItems.Items.Count)
            {
                foreach ((int index, (JsonNode want, JsonNode have)) in wantedItems.Items.Zip(gotItems.Items).Index())
                {
                    CompareJson($"{path}[{Text(index)}]", want, have);
                }
            }
            else
            {
                CheckValue(path, path[(path.LastIndexOf('.') + 1)..], LiveText(wanted.ToString()!), got.ToString());
            }
        }

        void CompareSets(string field, JsonNode.Array wanted, JsonNode.Array got)
        {
            string[] wantedItems = [.. wanted.Items.Select(item => LiveText(item.ToString()!))];
            string[] gotItems = [.. got.Items.Select(item => item.ToString()!)];
            foreach (string missing in wantedItems.Except(gotItems, StringComparer.Ordinal))
            {
                Check($"{field}[{missing}]", missing, null);
            }

            foreach (string added in gotItems.Except(wantedItems, StringComparer.Ordinal))
            {
                Check($"{field}[{added}]", null, added);
            }

            Assert.Equal(gotItems.Length, gotItems.Distinct(StringComparer.Ordinal).Count());
        }
    }

    /// <summary>Notes that an answer came, or a request of the server, that RocketMQ did not send.</summary>
    public void AddSurplus(WireFrame frame) =>
        _mismatches.Add(new Mismatch(frame.Code, "frame", null, frame.ToString(), "surplus"));

    private static IReadOnlyList<StoredRecord> ByQueue(IReadOnlyList<StoredRecord> messages) =>
        [.. messages.OrderBy(message => message.QueueId).ThenBy(message => message.QueueOffset)];

    private static bool IsJson(byte[] body) => body.Length > 0 && body[0] is (byte)'{' or (byte)'[';

    private static string[] RecallHandleIn(string text) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(' ');

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    // Name, 1, value, 2; RocketMQ keeps them in a map, in no order.
    private static Dictionary<string, string> PropertiesIn(string text) => text
        .Split('\u0002', StringSplitOptions.RemoveEmptyEntries)
        .Select(property => property.Split('\u0001'))
        .ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);

    private string LiveText(string recorded) => recorded
        .Replace(Recording.BrokerAddress, live.BrokerAddress, StringComparison.Ordinal)
        .Replace(Recording.BrokerHaAddress, live.BrokerHaAddress, StringComparison.Ordinal);

    private string LiveOffset(string recorded) => Text(LiveOffset(long.Parse(recorded, CultureInfo.InvariantCulture)));

    private void Learn(string recorded, string live, Func<string, long> offsetIn)
    {
        if (ownLog)
        {
            _learnt.TryAdd(offsetIn(recorded), offsetIn(live));
            Assert.Equal(_learnt.Count, _learnt.Values.Distinct().Count());
        }
    }

    private long LiveOffset(long recorded) => ownLog
        ? _learnt[recorded]
        : recorded - logStart - ((long)SecondUniqueKeyBytes * _batchOffsets.Count(batched => batched < recorded));

    private static long OffsetIn(string messageId) =>
        long.Parse(messageId.AsSpan(16), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static JsonNode.Object ByGroup(JsonNode.Array groups)
    {
        var members = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach ((string group, JsonNode stats) in groups.Items.Cast<JsonNode.Object>().SelectMany(entry => entry.Members))
        {
            IReadOnlyList<JsonNode> topics = ((JsonNode.Array)stats).Items;
            members.Add(group, new JsonNode.Array([.. topics.OrderBy(topic => topic.ToString(), StringComparer.Ordinal)]));
        }

        return new JsonNode.Object(members);
    }

    private static uint Crc32(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }

    // RocketMQ: MessageDecoder.createMessageId: address 4, port 4, physical offset 8, in hex.
    private string LiveMessageId(string recorded)
    {
        IPEndPoint broker = IPEndPoint.Parse(live.BrokerAddress);
        return Convert.ToHexString(broker.Address.GetAddressBytes())
            + broker.Port.ToString("X8", CultureInfo.InvariantCulture)
            + LiveOffset(OffsetIn(recorded)).ToString("X16", CultureInfo.InvariantCulture);
    }
}
