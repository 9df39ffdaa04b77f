// Draws an exchange: a question and its answer, each an article with a name. Readers choose the version of each; the
// choice is not saved.
import { memo, type ReactNode, useState } from "react";
import type { Message } from "@/lib/api/types";
import { clockTime } from "@/lib/text/time";
import { Answer } from "./answer";
import type { Versions } from "./pager";
import { Question, type TurnActions } from "./question";
import type { Exchange } from "./thread";
import { branchAt } from "./versions";

interface TurnProps {
  exchange: Exchange;
  /** Whether the exchange may be changed: the last one of a chat that is not being answered. */
  isOpen: boolean;
  actions: TurnActions;
}

interface ArticleProps {
  message: Message;
  children: ReactNode;
}

function Article({ message, children }: ArticleProps) {
  const tutor = message.role === "assistant";
  return (
    <article
      aria-label={`${tutor ? "Tutor" : "You"}, ${clockTime(message.created_at)}`}
      aria-busy={message.status === "streaming"}
      data-message={message.id}
      data-role={message.role}
      tabIndex={-1}
      className="turn-message mb-6"
    >
      {children}
    </article>
  );
}

/** Return the version to show: the last, until the reader chooses another. A newer version is shown at once. */
function useVersion(count: number): Versions {
  const [chosen, setChosen] = useState({ at: 0, count: 0 });
  const at = chosen.count === count ? chosen.at : count - 1;
  return { at, count, onTurn: (next) => setChosen({ at: next, count }) };
}

interface AnswerOfProps {
  answer: Message;
  question: Message | null;
  turn: Exchange["answer"];
  isOpen: boolean;
  actions: TurnActions;
}

function AnswerOf({ answer, question, turn, isOpen, actions }: AnswerOfProps) {
  const earlier = answer.alternatives;
  const versions = useVersion(earlier.length + 1);
  const shown = earlier[versions.at];
  const message: Message = shown ? { ...shown, role: "assistant", alternatives: [] } : answer;
  const mayAsk = isOpen && question && !shown;
  return (
    <Article message={message}>
      <Answer
        message={message}
        versions={versions}
        turn={shown ? undefined : turn?.turn?.key}
        stopping={turn?.turn?.stopping ?? false}
        sessionId={shown ? null : actions.sessionId}
        onAgain={mayAsk ? () => actions.askAgain(question, question.content) : null}
        onContinue={mayAsk ? actions.continueAnswer : null}
      />
    </Article>
  );
}

export const Turn = memo(function Turn({ exchange, isOpen, actions }: TurnProps) {
  const question = exchange.question?.message ?? null;
  const answer = exchange.answer?.message ?? null;
  const versions = useVersion((question?.alternatives.length ?? 0) + 1);
  const isEarlier = question !== null && versions.at < versions.count - 1;
  const shown = isEarlier ? branchAt(question, versions.at) : { question, answer };
  const onTurn = (at: number) => {
    actions.hold();
    versions.onTurn(at);
  };
  return (
    <>
      {shown.question && (
        <Article message={shown.question}>
          <Question
            question={shown.question}
            versions={{ ...versions, onTurn }}
            mayEdit={isOpen && !isEarlier && shown.question.id !== ""}
            actions={actions}
          />
        </Article>
      )}
      {shown.answer && (
        <AnswerOf
          key={isEarlier ? shown.answer.id : exchange.answer?.key}
          answer={shown.answer}
          question={question}
          turn={isEarlier ? undefined : exchange.answer}
          isOpen={isOpen && !isEarlier}
          actions={isEarlier ? { ...actions, sessionId: null } : actions}
        />
      )}
    </>
  );
});
