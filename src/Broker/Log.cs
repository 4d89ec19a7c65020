using System.Net;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Store.Appending;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker;

/// <summary>Every line that this project logs. Event ids: 1 to 99 the broker itself, 100 to 199 metadata, 200 to 299 clients,
/// 300 to 319 retries.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Broker {Name} serves {Address}, its store is {Directory}")]
    public static partial void Started(ILogger logger, string name, IPEndPoint address, string directory);

    [LoggerMessage(2, LogLevel.Information, "Broker {Name} has stopped")]
    public static partial void Stopped(ILogger logger, string name);

    [LoggerMessage(3, LogLevel.Warning, "No name server is configured: only clients that know this broker's address find it")]
    public static partial void NoNameServer(ILogger logger);

    [LoggerMessage(4, LogLevel.Debug, "Registered with name server {Address}")]
    public static partial void Registered(ILogger logger, string address);

    [LoggerMessage(5, LogLevel.Error, "Name server {Address} refused the registration: {Code} {Remark}")]
    public static partial void RegistrationRefused(ILogger logger, string address, ResponseCode code, string? remark);

    [LoggerMessage(6, LogLevel.Warning, "Name server {Address} was not told: {Reason}")]
    public static partial void RegistrationFailed(ILogger logger, string address, string reason);

    [LoggerMessage(37, LogLevel.Debug, "Name server {Address} was not told again: {Reason}")]
    public static partial void RegistrationStillFails(ILogger logger, string address, string reason);

    [LoggerMessage(7, LogLevel.Warning, "A change of topics is not known to every name server after {Waited}; the answer goes out now")]
    public static partial void AnnouncementTakesLong(ILogger logger, TimeSpan waited);

    [LoggerMessage(20, LogLevel.Information, "The broker was {Before} and is {State} now")]
    public static partial void LifecycleChanged(ILogger logger, string before, string state);

    [LoggerMessage(21, LogLevel.Information, "{AskedBy} asks the broker to leave: {Mode}")]
    public static partial void DrainAsked(ILogger logger, string askedBy, string mode);

    [LoggerMessage(22, LogLevel.Information, "{AskedBy} asks the broker to stay")]
    public static partial void DrainTakenBack(ILogger logger, string askedBy);

    [LoggerMessage(23, LogLevel.Error, "A step of leaving failed: the broker leaves without it")]
    public static partial void DrainFailed(ILogger logger, Exception error);

    [LoggerMessage(24, LogLevel.Warning, "After {Waited} there are still producers that send what others would take: {Senders}. They are refused from now on")]
    public static partial void DrainNotQuiet(ILogger logger, TimeSpan waited, string senders);

    [LoggerMessage(29, LogLevel.Warning, "The process has to end before everything that is stored here is consumed: {Left} stay on the disk")]
    public static partial void DrainNotConsumed(ILogger logger, string left);

    [LoggerMessage(488, LogLevel.Warning, "Leaves without having been granted it, since its time runs out: {Others} leave as well")]
    public static partial void LeaseNotGranted(ILogger logger, string others);

    [LoggerMessage(25, LogLevel.Warning, "Name server {Address} did not tell who else takes messages: {Reason}")]
    public static partial void RoutesNotTold(ILogger logger, string address, string reason);

    [LoggerMessage(26, LogLevel.Warning, "Name server {Address} could not be asked whether the broker may leave: {Reason}")]
    public static partial void LeaseNotAsked(ILogger logger, string address, string reason);

    [LoggerMessage(27, LogLevel.Error, "Asking again whether the broker may leave failed")]
    public static partial void LeaseNotRenewed(ILogger logger, Exception error);

    [LoggerMessage(28, LogLevel.Error, "The status file {Path} does not say what the broker does")]
    public static partial void StatusFileFailed(ILogger logger, Exception error, string path);

    [LoggerMessage(30, LogLevel.Information, "Warms up: {Topics} topics that other brokers take too show a growing part of their write queues, for {Duration} from the first send on")]
    public static partial void WarmupBegun(ILogger logger, int topics, TimeSpan duration);

    [LoggerMessage(31, LogLevel.Information, "Warm: the routes show all write queues")]
    public static partial void WarmedUp(ILogger logger);

    [LoggerMessage(32, LogLevel.Error, "The name servers cannot be told of more write queues just now")]
    public static partial void WarmupNotTold(ILogger logger, Exception error);

    [LoggerMessage(33, LogLevel.Warning, "The broker registers though its store takes no messages after {Patience}: consumers need the route")]
    public static partial void RegisteredUnhealthy(ILogger logger, TimeSpan patience);

    [LoggerMessage(34, LogLevel.Information, "Rehearsed for {Milliseconds} ms: {Requests} requests")]
    public static partial void Rehearsed(ILogger logger, long requests, long milliseconds);

    [LoggerMessage(35, LogLevel.Warning, "No rehearsal: the first requests will be slower")]
    public static partial void NotRehearsed(ILogger logger, Exception error);

    [LoggerMessage(36, LogLevel.Information, "The last {Bytes} bytes of the log are in memory, after {Milliseconds} ms")]
    public static partial void TailPagedIn(ILogger logger, long bytes, long milliseconds);

    [LoggerMessage(100, LogLevel.Information, "Topic {Config} was created like {Template} because {Producer} sends to it")]
    public static partial void TopicCreatedOnSend(ILogger logger, string config, string template, EndPoint? producer);

    [LoggerMessage(101, LogLevel.Warning, "Topic {Topic} was not created like {Template} for {Producer}: {Reason}")]
    public static partial void TopicNotCreated(ILogger logger, string topic, string template, EndPoint? producer, string reason);

    [LoggerMessage(102, LogLevel.Information, "Topic is now {Config}")]
    public static partial void TopicPut(ILogger logger, string config);

    [LoggerMessage(103, LogLevel.Information, "Topic {Topic} was deleted")]
    public static partial void TopicDeleted(ILogger logger, string topic);

    [LoggerMessage(104, LogLevel.Information, "Somebody counts on the order in the queues of topic {Topic}: it will never be shown in parts")]
    public static partial void OrderNoted(ILogger logger, string topic);

    [LoggerMessage(105, LogLevel.Error, "That somebody counts on the order in the queues of topic {Topic} is in memory only")]
    public static partial void OrderNotNoted(ILogger logger, Exception error, string topic);

    [LoggerMessage(110, LogLevel.Information, "Consumer group {Group} was created because a client names it")]
    public static partial void GroupCreatedOnUse(ILogger logger, string group);

    [LoggerMessage(111, LogLevel.Information, "Consumer group is now {Config}")]
    public static partial void GroupPut(ILogger logger, string config);

    [LoggerMessage(112, LogLevel.Information, "Consumer group {Group} was deleted")]
    public static partial void GroupDeleted(ILogger logger, string group);

    [LoggerMessage(113, LogLevel.Information, "What consumer group {Group} is forbidden at topic {Topic} went from {Before} to {After}")]
    public static partial void GroupForbidden(ILogger logger, string group, string topic, int before, int after);

    [LoggerMessage(120, LogLevel.Warning, "Group {Group}, topic {Topic}, queue {QueueId}: offset {Offset} was committed, which is less than {Before}, by {Client}")]
    public static partial void OffsetCommittedLower(
        ILogger logger, string group, string topic, int queueId, long offset, long before, EndPoint? client);

    [LoggerMessage(121, LogLevel.Error, "Consumer offsets of {Count} groups and topics are in memory only, writing them is tried again")]
    public static partial void OffsetsNotWritten(ILogger logger, Exception error, int count);

    [LoggerMessage(122, LogLevel.Error, "Consumer offsets would not survive the end of the machine")]
    public static partial void OffsetsNotSynced(ILogger logger, Exception error);

    [LoggerMessage(123, LogLevel.Information, "Offsets of {Count} groups and topics were removed: {Names}")]
    public static partial void OffsetsRemoved(ILogger logger, int count, string names);

    [LoggerMessage(124, LogLevel.Information, "Group {Group}, topic {Topic}: offsets were reset to {Offsets} by {Client}")]
    public static partial void OffsetsReset(ILogger logger, string group, string topic, string offsets, EndPoint? client);

    [LoggerMessage(125, LogLevel.Warning, "A consumer was told an offset that is in memory only")]
    public static partial void OffsetToldUnwritten(ILogger logger, Exception error);

    [LoggerMessage(130, LogLevel.Information, "Took over {Path} of RocketMQ: {Count} entries")]
    public static partial void ConfigFileTakenOver(ILogger logger, string path, int count);

    [LoggerMessage(131, LogLevel.Warning, "{Path} was written by someone else since: its {Count} entries replace what was known here")]
    public static partial void ConfigFileTakenOverAgain(ILogger logger, string path, int count);

    [LoggerMessage(132, LogLevel.Warning, "Reading {Backup} instead: {Reason}")]
    public static partial void ConfigFileFromBackup(ILogger logger, string backup, string reason);

    [LoggerMessage(133, LogLevel.Information, "In {Directory}, these files of RocketMQ are left as they are and not used: {Files}")]
    public static partial void ConfigFilesLeftAlone(ILogger logger, string directory, string files);

    [LoggerMessage(134, LogLevel.Information, "Wrote {Path} for RocketMQ, {Bytes} bytes")]
    public static partial void ConfigFileWritten(ILogger logger, string path, int bytes);

    [LoggerMessage(200, LogLevel.Information, "Consumer {Client} joined group {Group}")]
    public static partial void ConsumerJoined(ILogger logger, object client, string group);

    [LoggerMessage(201, LogLevel.Information, "Consumer {Client} left group {Group}: {Reason}")]
    public static partial void ConsumerLeft(ILogger logger, object client, string group, string reason);

    [LoggerMessage(202, LogLevel.Information, "Group {Group} now subscribes to {Topics}")]
    public static partial void SubscriptionsChanged(ILogger logger, string group, string topics);

    [LoggerMessage(203, LogLevel.Warning, "Connection {Address} of group {Group} was {OldClientId} and now says that it is {NewClientId}")]
    public static partial void ClientIdChanged(ILogger logger, string address, string group, string oldClientId, string newClientId);

    [LoggerMessage(204, LogLevel.Information, "Producer {Client} joined group {Group}")]
    public static partial void ProducerJoined(ILogger logger, object client, string group);

    [LoggerMessage(205, LogLevel.Information, "Producer {Client} left group {Group}: {Reason}")]
    public static partial void ProducerLeft(ILogger logger, object client, string group, string reason);

    [LoggerMessage(206, LogLevel.Error, "Telling the clients of group {Group} that it has changed failed")]
    public static partial void NotifyFailed(ILogger logger, Exception error, string group);

    [LoggerMessage(207, LogLevel.Warning, "The remembered subscriptions under key {Key} cannot be read and are dropped: {Reason}")]
    public static partial void RememberedBroken(ILogger logger, string key, string reason);

    [LoggerMessage(208, LogLevel.Error, "Writing the subscriptions of {Count} clients failed, they are tried again")]
    public static partial void RememberingFailed(ILogger logger, Exception error, int count);

    [LoggerMessage(209, LogLevel.Information, "{Count} clients are remembered from before the start")]
    public static partial void Remembered(ILogger logger, int count);

    [LoggerMessage(210, LogLevel.Error, "Looking for silent clients failed")]
    public static partial void ExpiryFailed(ILogger logger, Exception error);

    [LoggerMessage(211, LogLevel.Warning, "Client {ClientId} takes over the expired lock of {OldClientId} on {Topic} queue {QueueId} for group {Group}")]
    public static partial void LockTakenOver(
        ILogger logger, string clientId, string oldClientId, string topic, int queueId, string group);

    [LoggerMessage(212, LogLevel.Warning, "Locks of group {Group} are refused: {Limit} queues are locked, which is the limit")]
    public static partial void TooManyLocks(ILogger logger, string group, int limit);

    [LoggerMessage(213, LogLevel.Information, "{Key} is {Value} now, it was {OldValue}; changed by {Peer}")]
    public static partial void SettingChanged(ILogger logger, string key, string oldValue, string value, object? peer);

    [LoggerMessage(214, LogLevel.Information, "Cleaned up: {Code} of {Peer}")]
    public static partial void CleanedUp(ILogger logger, RequestCode code, object? peer);

    [LoggerMessage(300, LogLevel.Information, "A message of {Topic} with unique key {UniqueKey} is among the dead letters of group {Group} now; it was tried again {Times} times")]
    public static partial void DeadLettered(ILogger logger, string group, string topic, string uniqueKey, int times);

    [LoggerMessage(320, LogLevel.Error, "Pending messages could not be read or written; it is tried again")]
    public static partial void TimersFailed(ILogger logger, Exception error);

    [LoggerMessage(321, LogLevel.Error, "The delivery of pending messages failed unexpectedly; it is tried again")]
    public static partial void TimerThreadFailed(ILogger logger, Exception error);

    [LoggerMessage(322, LogLevel.Warning, "A pending message is gone with its part of the log: it stood at {Offset} and was due at {DueMs} ms")]
    public static partial void TimerRecordGone(ILogger logger, long offset, long dueMs);

    [LoggerMessage(323, LogLevel.Error, "The pending message at {Offset} cannot be delivered to topic {Topic}, which does not take it ({Status}); it is dropped")]
    public static partial void TimerUndeliverable(ILogger logger, long offset, string topic, object status);

    [LoggerMessage(324, LogLevel.Warning, "The store takes no due messages ({Status}); they stay pending and are tried again")]
    public static partial void TimersRefused(ILogger logger, object status);

    [LoggerMessage(325, LogLevel.Information, "The store takes due messages again")]
    public static partial void TimersTakenAgain(ILogger logger);

    [LoggerMessage(326, LogLevel.Warning, "{Path} cannot be read ({Reason}): what RocketMQ has delivered is not known, and may be delivered again")]
    public static partial void TimerHistoryBroken(ILogger logger, string path, string reason);

    [LoggerMessage(327, LogLevel.Information, "{Count} pending messages were delivered by another broker meanwhile")]
    public static partial void TimersDeliveredElsewhere(ILogger logger, int count);

    [LoggerMessage(328, LogLevel.Error, "The pending message at {Offset}, due at {DueMs} ms, could not be delivered; it is tried again in {WaitMs} ms, and others go on")]
    public static partial void TimerPostponed(ILogger logger, Exception error, long offset, long dueMs, long waitMs);

    [LoggerMessage(329, LogLevel.Warning, "Topic {Topic} was deleted while messages for it were pending: they are stored under its name, to be consumed if it is created again")]
    public static partial void TimerTopicDeleted(ILogger logger, string topic);

    [LoggerMessage(349, LogLevel.Warning, "{Count} transactions wait again: the log has lost its end, and with it what ended or checked them")]
    public static partial void TransactionsWaitAgain(ILogger logger, int count);

    [LoggerMessage(350, LogLevel.Information, "{Count} transactions have not ended")]
    public static partial void TransactionsPending(ILogger logger, long count);

    [LoggerMessage(351, LogLevel.Information, "{Count} half messages stand before queue offset {Offset}, which RocketMQ has passed: they have ended")]
    public static partial void TransactionsPassed(ILogger logger, int count, long offset);

    [LoggerMessage(352, LogLevel.Debug, "The producer {Producer} does not know yet how the transaction at {PhysicalOffset} ends")]
    public static partial void TransactionUnknown(ILogger logger, long physicalOffset, EndPoint? producer);

    [LoggerMessage(353, LogLevel.Debug, "Asked {Producer} about transaction {UniqueKey} of topic {Topic}, for the {Checks}. time")]
    public static partial void TransactionChecked(ILogger logger, string uniqueKey, string topic, int checks, object producer);

    [LoggerMessage(354, LogLevel.Warning, "No producer of group {Group} is there to be asked about transactions of topic {Topic}")]
    public static partial void NoProducerToAsk(ILogger logger, string group, string topic);

    [LoggerMessage(355, LogLevel.Warning, "Transaction {UniqueKey} of topic {Topic} was given up after {Checks} checks: its message is in {GivenUpTopic}")]
    public static partial void TransactionGivenUp(ILogger logger, string uniqueKey, string topic, int checks, string givenUpTopic);

    [LoggerMessage(356, LogLevel.Error, "The half message of topic {Topic} at {Root}, last stored at {PhysicalOffset}, is not in the log any more: its transaction cannot end")]
    public static partial void HalfMessageGone(ILogger logger, string topic, long root, long physicalOffset);

    [LoggerMessage(357, LogLevel.Error, "The transaction at {Root} of topic {Topic} cannot be checked now: {Status}")]
    public static partial void TransactionNotChecked(ILogger logger, long root, string topic, AppendStatus status);

    [LoggerMessage(358, LogLevel.Error, "Asking about the transaction at {Root} of topic {Topic} failed")]
    public static partial void AskingFailed(ILogger logger, Exception error, long root, string topic);

    [LoggerMessage(359, LogLevel.Error, "A round through the transactions failed, the next one tries again")]
    public static partial void TransactionRoundFailed(ILogger logger, Exception error);

    [LoggerMessage(360, LogLevel.Information, "The transaction of {MessageId} is checked from the beginning, as {Peer} asked")]
    public static partial void CheckingResumed(ILogger logger, string messageId, EndPoint? peer);

    [LoggerMessage(430, LogLevel.Information, "Group {Group} gets topic {Topic} by {Mode} now, shared with {ShareNum} others")]
    public static partial void RequestModeSet(ILogger logger, string group, string topic, MessageRequestMode mode, int shareNum);

    [LoggerMessage(431, LogLevel.Warning, "No queues of topic {Topic} for a consumer of group {Group}: {Reason}")]
    public static partial void NoAssignment(ILogger logger, string group, string topic, string reason);

    [LoggerMessage(432, LogLevel.Information, "Topic {Topic} has {Count} queues in its route, it had {Before}")]
    public static partial void RouteChanged(ILogger logger, string topic, int count, int before);

    [LoggerMessage(433, LogLevel.Warning, "Name server {Address} did not tell the route of topic {Topic}: {Code} {Remark}")]
    public static partial void RouteRefused(ILogger logger, string address, string topic, ResponseCode code, string? remark);

    [LoggerMessage(434, LogLevel.Warning, "Name server {Address} did not tell the route of topic {Topic}: {Reason}")]
    public static partial void RouteNotTold(ILogger logger, string address, string topic, string reason);

    [LoggerMessage(435, LogLevel.Error, "Asking for routes again failed")]
    public static partial void RouteRefreshFailed(ILogger logger, Exception error);

    [LoggerMessage(436, LogLevel.Warning, "A reply in topic {Topic} did not reach who waits for it: {Reason}")]
    public static partial void ReplyNotPushed(ILogger logger, string topic, string reason);

    [LoggerMessage(437, LogLevel.Warning, "A reply in topic {Topic} was not stored: {Reason}")]
    public static partial void ReplyNotStored(ILogger logger, string topic, string reason);

    [LoggerMessage(440, LogLevel.Error, "The lock of {Count} queues of group {Group} is in memory only")]
    public static partial void LocksNotWritten(ILogger logger, Exception error, string group, int count);

    [LoggerMessage(441, LogLevel.Warning, "The remembered lock under key {Key} cannot be read and is dropped: {Reason}")]
    public static partial void LockUnreadable(ILogger logger, string key, string reason);

    [LoggerMessage(450, LogLevel.Warning, "The expression under key {Key} of the filter indexes cannot be read; its number is free again")]
    public static partial void FilterBroken(ILogger logger, string key);

    [LoggerMessage(451, LogLevel.Error, "Subscriptions that have changed are not indexed yet, and are evaluated one by one; it is tried again")]
    public static partial void FilterChangeFailed(ILogger logger, Exception error);

    [LoggerMessage(452, LogLevel.Debug, "The filter index of topic {Topic} has {Count} expressions now: {Added} more, {Removed} fewer")]
    public static partial void FiltersIndexed(ILogger logger, string topic, int count, int added, int removed);

    [LoggerMessage(453, LogLevel.Error, "What messages match cannot be kept just now, from topic {Topic} queue {QueueId} on: whoever reads them looks at them")]
    public static partial void AnswersNotKept(ILogger logger, Exception error, string topic, int queueId);

    [LoggerMessage(380, LogLevel.Error, "Group {Group} gets nothing of topic {Topic} queue {QueueId} just now")]
    public static partial void PopFailed(ILogger logger, Exception error, string group, string topic, int queueId);

    [LoggerMessage(381, LogLevel.Error, "Giving popped messages back failed; it is tried again")]
    public static partial void RevivalFailed(ILogger logger, Exception error);

    [LoggerMessage(382, LogLevel.Warning, "A message that group {Group} popped is gone: topic {Topic} queue {QueueId} offset {Offset}")]
    public static partial void PoppedMessageGone(ILogger logger, string group, string topic, int queueId, long offset);

    [LoggerMessage(383, LogLevel.Error, "A message that group {Group} popped cannot be given back just now: topic {Topic} queue {QueueId} offset {Offset}: {Status}")]
    public static partial void NotRevived(ILogger logger, string group, string topic, int queueId, long offset, AppendStatus status);

    [LoggerMessage(384, LogLevel.Error, "A message that group {Group} popped cannot be given back just now: topic {Topic} queue {QueueId} offset {Offset}")]
    public static partial void PoppedMessageNotGivenBack(
        ILogger logger, Exception error, string group, string topic, int queueId, long offset);

    [LoggerMessage(386, LogLevel.Error, "A pop of group {Group} that waited for topic {Topic} failed")]
    public static partial void ParkedPopFailed(ILogger logger, Exception error, string group, string topic);

    [LoggerMessage(387, LogLevel.Error, "Group {Group} was moved to offset {Offset} of topic {Topic} queue {QueueId}, which a crash would undo")]
    public static partial void PopNotMoved(ILogger logger, Exception error, string group, long offset, string topic, int queueId);

    [LoggerMessage(388, LogLevel.Warning, "Group {Group} popped topic {Topic} queue {QueueId} up to {Offset}, where the log's end is gone: it goes on at {End}")]
    public static partial void PopBeyondTheEnd(ILogger logger, string group, string topic, int queueId, long offset, long end);

    [LoggerMessage(389, LogLevel.Information, "What group {Group} had in hand of topic {Topic} is dropped: one of them is gone")]
    public static partial void PopsOfNobody(ILogger logger, string group, string topic);

    [LoggerMessage(385, LogLevel.Information, "{Count} messages had been given back before the broker ended, as the log tells from {Offset} on")]
    public static partial void RevivalsRecovered(ILogger logger, int count, long offset);

    [LoggerMessage(460, LogLevel.Information, "Acts on gray state {Version}: {Topics} topics with gray queues, {Groups} groups with a release")]
    public static partial void GrayStateTaken(ILogger logger, string version, int topics, int groups);

    [LoggerMessage(461, LogLevel.Error, "Gray state {Version} could not be written; the broker acts on the one before, and asks again")]
    public static partial void GrayStateNotTaken(ILogger logger, Exception error, string version);

    [LoggerMessage(462, LogLevel.Information, "Name server {Address} does not tell the gray state: {Code} {Remark}")]
    public static partial void GrayStateRefused(ILogger logger, string address, ResponseCode code, string? remark);

    [LoggerMessage(463, LogLevel.Debug, "Name server {Address} did not tell the gray state: {Reason}")]
    public static partial void GrayStateNotTold(ILogger logger, string address, string reason);

    [LoggerMessage(464, LogLevel.Error, "Following the gray state failed; it is tried again")]
    public static partial void GrayFollowingFailed(ILogger logger, Exception error);

    [LoggerMessage(465, LogLevel.Error, "Handing queues over failed; it is tried again")]
    public static partial void GrayStepFailed(ILogger logger, Exception error);

    [LoggerMessage(466, LogLevel.Information, "Group {Group}, topic {Topic}, queue {QueueId} is being handed from {Owner} to {Next} at offset {Boundary}")]
    public static partial void HandoverBegun(
        ILogger logger, string group, string topic, int queueId, Side? owner, Side? next, long boundary);

    [LoggerMessage(469, LogLevel.Information, "Group {Group} consumes in order: topic {Topic}, queue {QueueId} waits at offset {End}: {Reason}")]
    public static partial void KeyWaits(ILogger logger, string group, string topic, int queueId, long end, string reason);

    [LoggerMessage(467, LogLevel.Information, "Group {Group}, topic {Topic}, queue {QueueId} is {Owner} from offset {Start} on; {GivenUp} messages were given up")]
    public static partial void HandoverEnded(
        ILogger logger, string group, string topic, int queueId, Side? owner, long start, long givenUp);

    [LoggerMessage(468, LogLevel.Warning, "Group {Group}, topic {Topic}, queue {QueueId}: {Count} messages of the withdrawn side are skipped, up to offset {Offset}")]
    public static partial void HandoverSkipped(ILogger logger, string group, string topic, int queueId, long count, long offset);

    [LoggerMessage(470, LogLevel.Warning, "Group {Group}, release {Generation}: what the withdrawn side leaves is skipped, also what is due or committed later: of {Topics}, accepted before {Offset}")]
    public static partial void LeftoverSkipped(ILogger logger, string group, long generation, string topics, long offset);

    [LoggerMessage(471, LogLevel.Information, "Topic {Topic}: the last messages of before it was switched on or off are gone, nobody waits for them any more")]
    public static partial void KeyOrderForgotten(ILogger logger, string topic);

    [LoggerMessage(390, LogLevel.Error, "Prolonging the invisible times of messages failed; it is tried again soon")]
    public static partial void RenewalFailed(ILogger logger, Exception error);
}
