namespace GrayMQ.Store.Pops;

/// <summary>What became of a batch whose time was up.</summary>
/// <param name="Done">One bit per message that needs no check point any more.</param>
/// <param name="NextDueMs">When the others are due, ms since 1970.</param>
/// <param name="PutOff">Whether they wait because the group's retry policy says so.</param>
/// <param name="Failures">How often in a row they could not be given back.</param>
public readonly record struct PopRevival(PopCheckPoint CheckPoint, uint Done, long NextDueMs, bool PutOff, int Failures);
