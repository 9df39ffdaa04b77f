// Catches the errors of a page, including code that could not be fetched, and offers to load the page again. The
// shell around it keeps working.
import { Component, type ReactNode } from "react";
import { Failure } from "@/ui/states";

interface State {
  error: unknown;
}

export class PageError extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const text = error instanceof Error ? error.message : String(error);
    const isFetchFailure = /import|fetch|chunk|module/i.test(text);
    const reason = new Error(
      isFetchFailure
        ? "A part of Tutordesk could not be loaded. Check your connection and retry. Drafts are kept."
        : "Something on this page failed. Load it again. Drafts are kept.",
    );
    return (
      <Failure
        heading="h1"
        title="This page could not be shown"
        error={reason}
        onRetry={() => location.reload()}
      />
    );
  }
}
